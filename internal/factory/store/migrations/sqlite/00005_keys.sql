-- +goose Up

CREATE TABLE keys (
    sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    tenant       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE, -- SHA-256 of the secret, which is nowhere
    scopes       TEXT    NOT NULL,        -- separated by commas
    models       TEXT    NOT NULL,        -- JSON: those that it may use; null: all
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,                 -- NULL: never
    last_used_at INTEGER                  -- NULL: never
) STRICT;

CREATE INDEX keys_by_tenant ON keys (tenant, sequence);

-- What a tenant had before it was divided into namespaces, is there for all of them.
ALTER TABLE files  ADD COLUMN inherited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs   ADD COLUMN inherited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN inherited INTEGER NOT NULL DEFAULT 0;
UPDATE files  SET inherited = 1;
UPDATE jobs   SET inherited = 1;
UPDATE models SET inherited = 1;

CREATE INDEX files_inherited  ON files  (tenant, sequence) WHERE inherited = 1;
CREATE INDEX jobs_inherited   ON jobs   (tenant, sequence) WHERE inherited = 1;
CREATE INDEX models_inherited ON models (tenant, sequence) WHERE inherited = 1;
