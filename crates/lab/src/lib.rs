//! The small world: items, personas, templates.
