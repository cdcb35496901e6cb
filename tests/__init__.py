"""The tests, by level: unit, property, interop, process, fault, fuzz."""
