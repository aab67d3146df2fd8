"""The way on AWS, one file per function, each with `handler(event, context)`; docs/aws-functions.md lists them.

All but `refine` load only the standard library, msgspec and boto3, so that they start fast and fit into a small zip.
"""
