-- What a tool made: one row for each result that came whole. Nothing half-done is ever kept.
CREATE TABLE creation (
    seq           INTEGER PRIMARY KEY,
    id            TEXT    NOT NULL UNIQUE,
    learner_id    TEXT    NOT NULL REFERENCES learner (id) ON DELETE CASCADE,
    tool          TEXT    NOT NULL,
    title         TEXT    NOT NULL,
    -- JSON: what was asked for, what came, and what a person did with it.
    input         TEXT    NOT NULL,
    content       TEXT    NOT NULL,
    work          TEXT    NOT NULL,
    -- How far a person got, 0 to 1; null where that means nothing.
    progress      REAL    CHECK (progress BETWEEN 0 AND 1),
    engine_kind   TEXT    NOT NULL CHECK (engine_kind IN ('local', 'demo', 'cloud', 'school')),
    engine_model  TEXT    NOT NULL,
    engine_device TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    -- Deleted, but still to be had back.
    deleted_at    INTEGER
) STRICT;

CREATE INDEX creation_by_learner ON creation (learner_id, seq) WHERE deleted_at IS NULL;
CREATE INDEX creation_deleted ON creation (deleted_at) WHERE deleted_at IS NOT NULL;
