//! The tables.
//!
//! Amounts of money are whole picodollars (10^-12 of a US dollar); hashes are 64 hexadecimal digits.
//!
//! - `calls`: one row per attempt to get an answer. `status` is
//!   `pending` (written before it is sent; no outcome yet),
//!   `answered` (received whole; the one answer of its request),
//!   `extra` (received whole, but the request had an answer already: paid for, not used),
//!   `failed` (an outcome without an answer), or
//!   `lost` (was pending when its process died: the provider may have answered and billed it).
//!   `reserved` is the most it could cost, `cost` what it did cost, `possibly` the most it may have cost without an
//!   answer that we have. `text` is the visible text, `raw` the body as received.
//! - `batches`: one row per batch handed to a provider. `status` is `submitting` (written before it is sent),
//!   `submitted` (`provider_id` is known), `ended` (all results are stored) or `lost` (never arrived).
//! - `batch_items`: which attempt goes by which `custom_id` in which batch.
//! - `nodes`: the plan: domains, subdomains, ideas, topics, questions; `state` is `done`, `open` or `set_aside`.
//! - `items`: the rows that were finished, kept or dropped; `path` orders them.
//! - `meta`: anything else, by name.

/// Marks the file as ours (`PRAGMA application_id`): `WHYF`.
pub(crate) const APPLICATION: i64 = 0x5748_5946;

/// The version of these tables (`PRAGMA user_version`). A change to them raises it, and `open.rs` learns to get there from
/// the version before.
pub(crate) const VERSION: i64 = 1;

/// Makes the tables.
pub(crate) const TABLES: &str = "
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    request TEXT NOT NULL,
    corpus TEXT NOT NULL,
    path TEXT NOT NULL,
    role TEXT NOT NULL,
    api TEXT NOT NULL,
    model TEXT NOT NULL,
    template TEXT NOT NULL,
    sample INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    batch INTEGER REFERENCES batches (id),
    status TEXT NOT NULL CHECK (status IN ('pending', 'answered', 'extra', 'failed', 'lost')),
    http INTEGER,
    error TEXT,
    message TEXT,
    stop TEXT,
    input INTEGER NOT NULL DEFAULT 0,
    output INTEGER NOT NULL DEFAULT 0,
    reasoning INTEGER NOT NULL DEFAULT 0,
    cache_read INTEGER NOT NULL DEFAULT 0,
    cache_write INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL,
    cost INTEGER NOT NULL DEFAULT 0,
    possibly INTEGER NOT NULL DEFAULT 0,
    latency_ms INTEGER,
    body TEXT NOT NULL,
    text TEXT,
    raw TEXT
) STRICT;
CREATE UNIQUE INDEX answer_of_request ON calls (request) WHERE status = 'answered';
CREATE INDEX pending_calls ON calls (batch) WHERE status = 'pending';
CREATE INDEX calls_by_path ON calls (corpus, path);

CREATE TABLE batches (
    id INTEGER PRIMARY KEY,
    api TEXT NOT NULL,
    base TEXT NOT NULL,
    model TEXT NOT NULL,
    token TEXT NOT NULL,
    provider_id TEXT,
    status TEXT NOT NULL CHECK (status IN ('submitting', 'submitted', 'ended', 'lost'))
) STRICT;

CREATE TABLE batch_items (
    batch INTEGER NOT NULL REFERENCES batches (id),
    custom_id TEXT NOT NULL,
    call INTEGER NOT NULL REFERENCES calls (id),
    PRIMARY KEY (batch, custom_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE nodes (
    corpus TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('done', 'open', 'set_aside')),
    reason TEXT,
    content TEXT NOT NULL,
    request TEXT,
    UNIQUE (corpus, path, kind)
) STRICT;

CREATE TABLE items (
    corpus TEXT NOT NULL,
    path TEXT NOT NULL,
    kept INTEGER NOT NULL,
    reason TEXT,
    \"row\" TEXT NOT NULL,
    provenance TEXT NOT NULL,
    UNIQUE (corpus, path)
) STRICT;

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW answers AS
    SELECT corpus, path, role, model, stop, input, output, cost / 1e12 AS dollars, text
    FROM calls WHERE status = 'answered' ORDER BY corpus, path, id;

CREATE VIEW set_aside AS
    SELECT corpus, path, kind, reason FROM nodes WHERE state = 'set_aside'
    UNION ALL
    SELECT corpus, path, 'item', reason FROM items WHERE NOT kept
    ORDER BY corpus, path;

CREATE VIEW cost_by_role AS
    SELECT role, model,
        count(*) AS attempts,
        sum(status = 'answered') AS answers,
        sum(input) AS input_tokens,
        sum(output) AS output_tokens,
        sum(cost) / 1e12 AS dollars,
        sum(CASE status WHEN 'pending' THEN reserved ELSE possibly END) / 1e12 AS possibly_dollars
    FROM calls GROUP BY role, model ORDER BY role, model;
";
