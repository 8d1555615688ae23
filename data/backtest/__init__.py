"""Projections of periods that are over, checked against what happened.

`cases` projects a past period as it stood after some of its days, with the very function that the
pages call; `run` does so for every customer and keeps what comes out; `quality` counts it.
Limit: history is taken as it is known now, with Twilio's corrections since; and without what
settling days of then had shown already.
"""
