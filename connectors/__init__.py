"""The outside world, one module per kind of neighbour. The one home of ``requests``.

Each connector implements a port of ``o2c.ports`` and knows only its own neighbour's dialect.
None of them knows the rules, the formats or the store.
"""
