"""Documents as bytes, and the business values inside them.

Here and nowhere else live lxml, xmlschema, signxml and saxonche. A format reads bytes into the
values of ``o2c`` or writes them; it knows no database, no network and no clock.
"""
