-- +goose Up

-- What no list shows stands apart, so that rows of jobs are short.
CREATE TABLE job_details (
    sequence  INTEGER PRIMARY KEY,
    job_id    TEXT NOT NULL UNIQUE REFERENCES jobs (id),
    requested TEXT NOT NULL, -- JSON: what validation completes to the job's hyperparameters and targets
    targets   TEXT NOT NULL  -- JSON
) STRICT;

INSERT INTO job_details (job_id, requested, targets) SELECT id, requested, targets FROM jobs;

CREATE TABLE inputs (
    job_id     TEXT    NOT NULL REFERENCES jobs (id),
    position   INTEGER NOT NULL,
    file_id    TEXT    NOT NULL,
    filename   TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    weight     REAL    NOT NULL,
    validation INTEGER NOT NULL,
    PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;

INSERT INTO inputs
SELECT jobs.id, input.key, input.value ->> 'file_id', input.value ->> 'filename', input.value ->> 'digest', input.value ->> 'bytes',
       input.value ->> 'weight', input.value ->> 'validation'
FROM jobs, json_each(jobs.inputs) AS input WHERE input.value IS NOT NULL;

-- How many inputs of unfinished jobs are these bytes: an index of the inputs by digest would
-- have each job write all over it while others wait.
CREATE TABLE needed (
    digest TEXT PRIMARY KEY,
    inputs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO needed
SELECT digest, count(*) FROM inputs JOIN jobs ON jobs.id = job_id
WHERE status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED') GROUP BY digest;

ALTER TABLE jobs ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''; -- that of a job that makes the same model
ALTER TABLE jobs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0; -- what its rows take, about

UPDATE jobs SET bytes = 2000 + octet_length(inputs) + octet_length(requested) + octet_length(targets) + octet_length(integrations);

ALTER TABLE jobs DROP COLUMN inputs;
ALTER TABLE jobs DROP COLUMN requested;
ALTER TABLE jobs DROP COLUMN targets;

DROP INDEX jobs_by_status;
CREATE INDEX jobs_by_status ON jobs (status, modified_at);
CREATE INDEX jobs_queued ON jobs (started, tenant, modified_at, sequence) WHERE status = 'QUEUED';
CREATE INDEX jobs_by_fingerprint ON jobs (tenant, fingerprint) WHERE status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING');

CREATE INDEX files_by_tenant ON files (tenant, sequence);

-- Models outlive their jobs. What lists do not show comes last.
CREATE TABLE kept_models (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    job_id      TEXT    NOT NULL,
    root        TEXT    NOT NULL, -- the base model
    name        TEXT,
    description TEXT,
    archived    INTEGER NOT NULL,
    input_type  TEXT    NOT NULL,
    digest      TEXT    NOT NULL, -- of the model file
    created_at  INTEGER NOT NULL,
    targets     TEXT    NOT NULL, -- JSON
    UNIQUE (tenant, id)
) STRICT;

INSERT INTO kept_models (sequence, id, tenant, job_id, root, name, description, archived, input_type, digest, created_at, targets)
SELECT sequence, id, tenant, job_id, root, name, description, archived, input_type, digest, created_at, targets FROM models;

DROP TABLE models;
ALTER TABLE kept_models RENAME TO models;

CREATE INDEX models_by_digest ON models (digest);
CREATE INDEX models_by_job ON models (job_id);
CREATE INDEX models_by_tenant ON models (tenant, sequence);

-- What each tenant has, so that no quota sums up rows while all who write wait.
CREATE TABLE usage (
    tenant          TEXT PRIMARY KEY,
    file_bytes      INTEGER NOT NULL DEFAULT 0,
    unfinished_jobs INTEGER NOT NULL DEFAULT 0,
    models          INTEGER NOT NULL DEFAULT 0,
    record_bytes    INTEGER NOT NULL DEFAULT 0 -- of jobs and models
) STRICT, WITHOUT ROWID;

INSERT INTO usage
SELECT tenant, sum(file_bytes), sum(unfinished_jobs), sum(models), sum(record_bytes) FROM (
    SELECT tenant, bytes AS file_bytes, 0 AS unfinished_jobs, 0 AS models, 0 AS record_bytes FROM files
    UNION ALL SELECT tenant, 0, status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'), 0, bytes FROM jobs
    UNION ALL SELECT tenant, 0, 0, 1, octet_length(targets) FROM models
) GROUP BY tenant;

-- +goose StatementBegin
CREATE TRIGGER file_added AFTER INSERT ON files BEGIN
    INSERT INTO usage (tenant, file_bytes) VALUES (NEW.tenant, NEW.bytes)
    ON CONFLICT DO UPDATE SET file_bytes = file_bytes + excluded.file_bytes;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER file_removed AFTER DELETE ON files BEGIN
    UPDATE usage SET file_bytes = file_bytes - OLD.bytes WHERE tenant = OLD.tenant;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
    INSERT INTO usage (tenant, unfinished_jobs, record_bytes)
    VALUES (NEW.tenant, NEW.status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'), NEW.bytes)
    ON CONFLICT DO UPDATE SET unfinished_jobs = unfinished_jobs + excluded.unfinished_jobs, record_bytes = record_bytes + excluded.record_bytes;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER job_changed AFTER UPDATE OF status, bytes ON jobs BEGIN
    UPDATE usage SET record_bytes = record_bytes + NEW.bytes - OLD.bytes, unfinished_jobs = unfinished_jobs
        + (NEW.status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'))
        - (OLD.status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'))
    WHERE tenant = NEW.tenant;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
    UPDATE usage SET record_bytes = record_bytes - OLD.bytes,
        unfinished_jobs = unfinished_jobs - (OLD.status IN ('QUEUED', 'VALIDATING', 'VALIDATED', 'RUNNING', 'CANCELLATION_REQUESTED'))
    WHERE tenant = OLD.tenant;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER model_added AFTER INSERT ON models BEGIN
    INSERT INTO usage (tenant, models, record_bytes) VALUES (NEW.tenant, 1, octet_length(NEW.targets))
    ON CONFLICT DO UPDATE SET models = models + 1, record_bytes = record_bytes + excluded.record_bytes;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER model_removed AFTER DELETE ON models BEGIN
    UPDATE usage SET models = models - 1, record_bytes = record_bytes - octet_length(OLD.targets) WHERE tenant = OLD.tenant;
END;
-- +goose StatementEnd
