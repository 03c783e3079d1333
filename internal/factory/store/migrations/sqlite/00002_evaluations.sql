-- +goose Up

-- Apart from the jobs, whose lists need not read them.
CREATE TABLE evaluations (
    job_id     TEXT PRIMARY KEY REFERENCES jobs (id),
    evaluation TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;
