"""Alerts: a report's numbers are not as they should be → somebody is told, and also which layer broke."""
