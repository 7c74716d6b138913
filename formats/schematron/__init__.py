"""Official business rules (Schematron), compiled to Python and run over lxml trees.

Governed by ISO/IEC 19757-3 (query binding xslt2) and XPath 2.0. The way of a rule set:
``read_sch``, ``read_xslt`` or ``own`` -> ``model.RuleSource`` -> ``compile`` -> ``run``. What the
compiler cannot translate it refuses by name (``compile.Untranslatable``) and the whole set runs through
saxonche; no assert is ever skipped.
"""
