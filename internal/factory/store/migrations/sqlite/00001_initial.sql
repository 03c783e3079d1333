-- +goose Up

-- Lists are newest first. A sequence orders what was created within a second.

CREATE TABLE files (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    tenant      TEXT    NOT NULL,
    filename    TEXT    NOT NULL,
    digest      TEXT    NOT NULL, -- hex SHA-256, the name of the bytes
    bytes       INTEGER NOT NULL,
    lines       INTEGER NOT NULL,
    purpose     TEXT    NOT NULL,
    sample_type TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    visibility  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (tenant, filename, digest)
) STRICT;

CREATE INDEX files_by_digest ON files (digest);

CREATE TABLE jobs (
    sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT    NOT NULL UNIQUE,
    tenant           TEXT    NOT NULL,
    model            TEXT    NOT NULL,
    suffix           TEXT,
    status           TEXT    NOT NULL,
    auto_start       INTEGER NOT NULL,
    started          INTEGER NOT NULL, -- 1: QUEUED means for training, no longer for validation
    attempts         INTEGER NOT NULL, -- how often its present stage was begun
    inputs           TEXT    NOT NULL, -- JSON
    requested        TEXT    NOT NULL, -- JSON: what validation completes to the following two
    hyperparameters  TEXT    NOT NULL, -- JSON
    targets          TEXT    NOT NULL, -- JSON
    integrations     TEXT    NOT NULL, -- JSON, without their keys
    input_type       TEXT    NOT NULL,
    metadata         TEXT    NOT NULL, -- JSON
    trained_tokens   INTEGER,
    fine_tuned_model TEXT,
    created_at       INTEGER NOT NULL,
    modified_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX jobs_by_tenant ON jobs (tenant, sequence);
CREATE INDEX jobs_by_status ON jobs (status);

CREATE TABLE events (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id     TEXT    NOT NULL REFERENCES jobs (id),
    name       TEXT    NOT NULL,
    data       TEXT    NOT NULL, -- JSON
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_job ON events (job_id, sequence);

CREATE TABLE checkpoints (
    job_id     TEXT    NOT NULL REFERENCES jobs (id),
    step       INTEGER NOT NULL,
    train_loss REAL,
    valid_loss REAL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE models (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    job_id      TEXT    NOT NULL REFERENCES jobs (id),
    root        TEXT    NOT NULL, -- the base model
    name        TEXT,
    description TEXT,
    archived    INTEGER NOT NULL,
    input_type  TEXT    NOT NULL,
    targets     TEXT    NOT NULL, -- JSON
    digest      TEXT    NOT NULL, -- of the model file
    created_at  INTEGER NOT NULL,
    UNIQUE (tenant, id)
) STRICT;

CREATE INDEX models_by_digest ON models (digest);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
