//! Findings to terminal tables, CSV and one self-contained HTML page.
