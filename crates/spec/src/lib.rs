//! Model Specs in Markdown: sections, reasons, preferences, the lab block.
