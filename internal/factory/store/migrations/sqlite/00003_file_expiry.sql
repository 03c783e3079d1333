-- +goose Up

ALTER TABLE files ADD COLUMN expires_at INTEGER; -- NULL: never

CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;
