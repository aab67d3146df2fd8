"""What happens now, read from the stream's tail and not from the lake: a line → a fact → the window → who listens.

fact.py     one line of the stream → the little that is shown of it
window.py   facts → the last 30 minutes, in bounded memory
tail.py     the one thread that reads, and tells who listens
sse.py      `/live`: what is told, as server-sent events
ending.py   to know of the end before it comes
"""
