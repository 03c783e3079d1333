-- +goose Up

-- The number of the newest lease of a job. What comes with another number is refused.
ALTER TABLE jobs ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;

-- Jobs that a worker has. No number comes twice.
CREATE TABLE leases (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id     TEXT    NOT NULL UNIQUE REFERENCES jobs (id),
    holder     TEXT    NOT NULL, -- the worker's process
    expires_at INTEGER NOT NULL  -- milliseconds, by the clock of the database
) STRICT;

CREATE INDEX leases_by_holder ON leases (holder);

-- The number of the lease that a tenant got last in a stage; 0: none yet.
CREATE TABLE turns (
    stage  TEXT    NOT NULL,
    tenant TEXT    NOT NULL,
    taken  INTEGER NOT NULL,
    PRIMARY KEY (stage, tenant)
) STRICT, WITHOUT ROWID;

INSERT INTO turns SELECT DISTINCT 'validating', tenant, 0 FROM jobs;
INSERT INTO turns SELECT DISTINCT 'training', tenant, 0 FROM jobs;
