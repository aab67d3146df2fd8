"""A shop and a web site that do not exist: traffic of any size, reproducible, dirty as ordered, the truth beside it.

shop, site   sessions, as columns of numbers, and their text      pure; seeded
traffic      sessions → windows of time with so many events each
dirt         what happens to lines on their way
truth        what a clean count of the written lines has to give; knows no SQL and nothing of silver's code
write, send  files in hive folders with `truth.json`, or requests to a collector
"""
