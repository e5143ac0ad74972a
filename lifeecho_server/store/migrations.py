"""The schema, as ordered migrations. A step that has been released is never changed again.

Moments are INTEGER microseconds since 1970 (UTC), lengths of audio INTEGER milliseconds, ids TEXT
of the server's own making, yes and no 1 and 0.
"""

from collections.abc import Callable, Sequence

import sqlite_utils

Steps = Sequence[tuple[str, Sequence[str]]]
"""Migrations in order: the name of each, and its statements."""

_PEOPLE = (
    """
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL CHECK (name <> ''),
        language TEXT NOT NULL CHECK (language <> ''),
        role TEXT NOT NULL CHECK (role IN ('owner', 'family', 'elder')),
        plan TEXT NOT NULL DEFAULT 'unlimited' CHECK (plan <> ''),
        disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
        password_hash TEXT,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX users_by_name ON users (name)",
    """
    CREATE TABLE devices (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER,
        revoked_at INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX devices_by_user ON devices (user_id)",
    """
    CREATE TABLE refresh_tokens (
        token_hash TEXT PRIMARY KEY,
        device_id TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
        issued_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL CHECK (expires_at > issued_at),
        used_at INTEGER,
        replaced_by TEXT
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX refresh_tokens_by_device ON refresh_tokens (device_id)",
    """
    CREATE TABLE pairing_codes (
        id TEXT PRIMARY KEY,
        code_hash TEXT NOT NULL UNIQUE,
        user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
        wrong_tries INTEGER NOT NULL DEFAULT 0 CHECK (wrong_tries >= 0),
        used_at INTEGER,
        device_id TEXT REFERENCES devices ON DELETE SET NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX pairing_codes_by_user ON pairing_codes (user_id)",
    "CREATE INDEX pairing_codes_by_device ON pairing_codes (device_id)",
    """
    CREATE TABLE narrators (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL CHECK (name <> ''),
        language TEXT NOT NULL CHECK (language <> ''),
        script TEXT CHECK (script IN ('hans', 'hant')),
        status TEXT NOT NULL DEFAULT 'living' CHECK (status IN ('living', 'died')),
        nickname TEXT,
        birth_year INTEGER,
        birth_place TEXT,
        grew_up_place TEXT,
        occupation TEXT,
        sex TEXT CHECK (sex IN ('female', 'male')),
        speaking_rate INTEGER CHECK (speaking_rate > 0),
        pause_ms INTEGER CHECK (pause_ms >= 0),
        sealed_afterwards TEXT NOT NULL DEFAULT 'keep'
            CHECK (sealed_afterwards IN ('keep', 'open', 'erase')),
        stage TEXT,
        summary TEXT NOT NULL DEFAULT '',
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX narrators_by_name ON narrators (name)",
    """
    CREATE TABLE profile_refusals (
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        field TEXT NOT NULL,
        PRIMARY KEY (narrator_id, field)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE access (
        user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        level TEXT NOT NULL CHECK (level IN ('read', 'talk', 'manage')),
        PRIMARY KEY (user_id, narrator_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX access_by_narrator ON access (narrator_id)",
)

_CONVERSATIONS = (
    """
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        opened_by TEXT REFERENCES users ON DELETE SET NULL,
        stage TEXT,
        started_at INTEGER NOT NULL,
        last_message_at INTEGER,
        ended_at INTEGER,
        deleted_at INTEGER,
        turn_count INTEGER NOT NULL DEFAULT 0 CHECK (turn_count >= 0)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX conversations_by_narrator ON conversations (narrator_id, last_message_at)",
    "CREATE INDEX conversations_by_opener ON conversations (opened_by)",
    """
    CREATE TABLE recordings (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
        path TEXT NOT NULL UNIQUE,
        format TEXT NOT NULL,
        sample_rate INTEGER CHECK (sample_rate > 0),
        bytes INTEGER NOT NULL CHECK (bytes >= 0),
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        duration_ms INTEGER CHECK (duration_ms >= 0),
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX recordings_by_conversation ON recordings (conversation_id)",
    """
    CREATE TABLE voice_sessions (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
        client_id TEXT NOT NULL,
        user_id TEXT REFERENCES users ON DELETE SET NULL,
        speaker TEXT NOT NULL CHECK (speaker IN ('narrator', 'relative')),
        format TEXT,
        sample_rate INTEGER CHECK (sample_rate > 0),
        said_at INTEGER NOT NULL,
        opened_at INTEGER NOT NULL,
        last_slice_at INTEGER,
        closed_at INTEGER,
        last_index INTEGER CHECK (last_index >= 0),
        complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
        UNIQUE (conversation_id, client_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX voice_sessions_open ON voice_sessions (conversation_id) WHERE complete = 0",
    "CREATE INDEX voice_sessions_by_user ON voice_sessions (user_id)",
    """
    CREATE TABLE slices (
        voice_session_id TEXT NOT NULL REFERENCES voice_sessions ON DELETE CASCADE,
        segment_index INTEGER NOT NULL CHECK (segment_index BETWEEN 0 AND 99999),
        recording_id TEXT NOT NULL REFERENCES recordings ON DELETE CASCADE,
        received_at INTEGER NOT NULL,
        PRIMARY KEY (voice_session_id, segment_index)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX slices_by_recording ON slices (recording_id)",
    """
    CREATE TABLE turns (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
        client_id TEXT,
        user_id TEXT REFERENCES users ON DELETE SET NULL,
        speaker TEXT NOT NULL CHECK (speaker IN ('narrator', 'relative', 'interviewer')),
        hearing TEXT NOT NULL
            CHECK (hearing IN ('typed', 'heard', 'waiting', 'unsure', 'failed', 'silent')),
        text TEXT NOT NULL,
        language TEXT,
        said_at INTEGER NOT NULL,
        stored_at INTEGER NOT NULL CHECK (said_at <= stored_at),
        recording_id TEXT REFERENCES recordings ON DELETE SET NULL,
        voice_session_id TEXT REFERENCES voice_sessions ON DELETE SET NULL,
        revision INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0),
        answered_by TEXT,
        finished INTEGER NOT NULL DEFAULT 1 CHECK (finished IN (0, 1)),
        delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered >= 0),
        sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1)),
        quota_day TEXT
    ) STRICT
    """,
    "CREATE INDEX turns_in_order ON turns (conversation_id, said_at, seq)",
    """
    CREATE UNIQUE INDEX turns_by_client_id ON turns (conversation_id, client_id)
        WHERE client_id IS NOT NULL
    """,
    """
    CREATE INDEX turns_unanswered ON turns (conversation_id, said_at, seq)
        WHERE answered_by IS NULL AND speaker <> 'interviewer' AND hearing <> 'silent'
    """,
    "CREATE INDEX turns_waiting ON turns (stored_at) WHERE hearing = 'waiting'",
    """
    CREATE INDEX turns_by_recording ON turns (recording_id) WHERE recording_id IS NOT NULL
    """,
    """
    CREATE INDEX turns_by_voice_session ON turns (voice_session_id)
        WHERE voice_session_id IS NOT NULL
    """,
    """
    CREATE TABLE reply_parts (
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position >= 0),
        text TEXT NOT NULL,
        PRIMARY KEY (turn_id, position)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE transcripts (
        turn_id TEXT PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE,
        revision INTEGER NOT NULL CHECK (revision >= 1),
        language TEXT NOT NULL,
        text TEXT NOT NULL,
        duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
        model TEXT NOT NULL,
        made_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE segments (
        turn_id TEXT NOT NULL REFERENCES transcripts ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position >= 0),
        start_ms INTEGER NOT NULL CHECK (start_ms >= 0),
        end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
        text TEXT NOT NULL,
        unsure INTEGER NOT NULL CHECK (unsure IN (0, 1)),
        PRIMARY KEY (turn_id, position)
    ) STRICT, WITHOUT ROWID
    """,
)

_MEMOIR_STATE = (
    """
    CREATE TABLE slots (
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        slot TEXT NOT NULL,
        coverage TEXT NOT NULL DEFAULT 'empty' CHECK (coverage IN ('empty', 'touched', 'told')),
        declined INTEGER NOT NULL DEFAULT 0 CHECK (declined IN (0, 1)),
        PRIMARY KEY (narrator_id, slot)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE slot_evidence (
        seq INTEGER PRIMARY KEY,
        narrator_id TEXT NOT NULL,
        slot TEXT NOT NULL,
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        FOREIGN KEY (narrator_id, slot) REFERENCES slots ON DELETE CASCADE
    ) STRICT
    """,
    "CREATE INDEX slot_evidence_by_slot ON slot_evidence (narrator_id, slot, seq)",
    "CREATE UNIQUE INDEX slot_evidence_by_turn ON slot_evidence (turn_id, slot)",
    """
    CREATE TABLE asked (
        seq INTEGER PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        question TEXT NOT NULL,
        slot TEXT,
        asked_at INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX asked_by_narrator ON asked (narrator_id, seq)",
    """
    CREATE TABLE family_questions (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        user_id TEXT REFERENCES users ON DELETE SET NULL,
        stage TEXT,
        text TEXT NOT NULL CHECK (text <> ''),
        left_at INTEGER NOT NULL,
        asked_at INTEGER,
        answer_turn_id TEXT REFERENCES turns (id) ON DELETE SET NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX family_questions_by_narrator ON family_questions (narrator_id, left_at)",
    "CREATE INDEX family_questions_by_user ON family_questions (user_id)",
    "CREATE INDEX family_questions_by_answer ON family_questions (answer_turn_id)",
    """
    CREATE TABLE consents (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        turn_id TEXT REFERENCES turns (id) ON DELETE CASCADE,
        words TEXT NOT NULL,
        given_at INTEGER NOT NULL,
        withdrawn_at INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX consents_by_narrator ON consents (narrator_id, given_at)",
    "CREATE INDEX consents_by_turn ON consents (turn_id)",
)

_MEMOIR_WORK = (
    """
    CREATE TABLE memoir_jobs (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('ingest', 'rebuild')),
        state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'done', 'set_aside')),
        attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        due_at INTEGER NOT NULL,
        queued_at INTEGER NOT NULL,
        fault TEXT
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX memoir_jobs_due ON memoir_jobs (due_at) WHERE state = 'queued'",
    "CREATE INDEX memoir_jobs_by_narrator ON memoir_jobs (narrator_id, state)",
    """
    CREATE TABLE memoir_job_turns (
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        job_id TEXT NOT NULL REFERENCES memoir_jobs ON DELETE CASCADE,
        PRIMARY KEY (turn_id, job_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX memoir_job_turns_by_job ON memoir_job_turns (job_id)",
    """
    CREATE TABLE chapters (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        stage TEXT NOT NULL,
        title TEXT NOT NULL,
        shared INTEGER NOT NULL DEFAULT 1 CHECK (shared IN (0, 1)),
        changed_at INTEGER NOT NULL,
        UNIQUE (narrator_id, stage)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE stories (
        id TEXT PRIMARY KEY,
        chapter_id TEXT NOT NULL REFERENCES chapters ON DELETE CASCADE,
        slot TEXT,
        title TEXT NOT NULL,
        year_from INTEGER,
        year_to INTEGER CHECK (year_to >= year_from),
        told_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX stories_in_order ON stories (chapter_id, year_from, told_at)",
    """
    CREATE TABLE sentences (
        id TEXT PRIMARY KEY,
        story_id TEXT NOT NULL REFERENCES stories ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position >= 0),
        paragraph INTEGER NOT NULL DEFAULT 0 CHECK (paragraph >= 0),
        text TEXT NOT NULL,
        origin TEXT NOT NULL CHECK (origin IN ('written', 'verbatim', 'edited'))
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sentences_in_order ON sentences (story_id, position)",
    """
    CREATE TABLE sentence_evidence (
        sentence_id TEXT NOT NULL REFERENCES sentences ON DELETE CASCADE,
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        recording_id TEXT REFERENCES recordings ON DELETE SET NULL,
        start_ms INTEGER CHECK (start_ms >= 0),
        end_ms INTEGER CHECK (end_ms >= start_ms),
        PRIMARY KEY (sentence_id, turn_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX sentence_evidence_by_turn ON sentence_evidence (turn_id)",
    "CREATE INDEX sentence_evidence_by_recording ON sentence_evidence (recording_id)",
    """
    CREATE TABLE edits (
        id TEXT PRIMARY KEY,
        sentence_id TEXT NOT NULL REFERENCES sentences ON DELETE CASCADE,
        user_id TEXT REFERENCES users ON DELETE SET NULL,
        text_before TEXT NOT NULL,
        text_after TEXT NOT NULL,
        edited_at INTEGER NOT NULL,
        undone_at INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX edits_by_sentence ON edits (sentence_id, edited_at)",
    "CREATE INDEX edits_by_user ON edits (user_id)",
    """
    CREATE TABLE people_places (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('person', 'place')),
        name TEXT NOT NULL CHECK (name <> ''),
        relation TEXT,
        shown TEXT NOT NULL DEFAULT 'as_told' CHECK (shown IN ('as_told', 'initials', 'left_out')),
        corrected INTEGER NOT NULL DEFAULT 0 CHECK (corrected IN (0, 1))
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX people_places_by_narrator ON people_places (narrator_id, kind)",
    """
    CREATE TABLE aliases (
        people_places_id TEXT NOT NULL REFERENCES people_places ON DELETE CASCADE,
        alias TEXT NOT NULL,
        sound TEXT NOT NULL,
        PRIMARY KEY (people_places_id, alias)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX aliases_by_sound ON aliases (sound)",
    """
    CREATE TABLE people_places_evidence (
        people_places_id TEXT NOT NULL REFERENCES people_places ON DELETE CASCADE,
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        PRIMARY KEY (people_places_id, turn_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX people_places_evidence_by_turn ON people_places_evidence (turn_id)",
    """
    CREATE TABLE media (
        id TEXT PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        story_id TEXT REFERENCES stories ON DELETE SET NULL,
        path TEXT NOT NULL UNIQUE,
        format TEXT NOT NULL,
        bytes INTEGER NOT NULL CHECK (bytes >= 0),
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        caption TEXT NOT NULL DEFAULT '',
        added_by TEXT REFERENCES users ON DELETE SET NULL,
        added_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX media_by_narrator ON media (narrator_id, added_at)",
    "CREATE INDEX media_by_story ON media (story_id)",
    "CREATE INDEX media_by_adder ON media (added_by)",
    """
    CREATE TABLE media_evidence (
        media_id TEXT NOT NULL REFERENCES media ON DELETE CASCADE,
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        PRIMARY KEY (media_id, turn_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX media_evidence_by_turn ON media_evidence (turn_id)",
)

_BOOKKEEPING = (
    """
    CREATE TABLE quota_use (
        user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        day TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
        turns INTEGER NOT NULL DEFAULT 0 CHECK (turns >= 0),
        audio_ms INTEGER NOT NULL DEFAULT 0 CHECK (audio_ms >= 0),
        PRIMARY KEY (user_id, day)
    ) STRICT, WITHOUT ROWID
    """,
    # No foreign keys in the two logs: they outlive what they tell of, and hold ids only.
    """
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind <> ''),
        user_id TEXT,
        device_id TEXT,
        subject_id TEXT
    ) STRICT
    """,
    "CREATE INDEX audit_by_time ON audit (at)",
    """
    CREATE TABLE removals (
        kind TEXT NOT NULL CHECK (
            kind IN ('user', 'device', 'narrator', 'conversation', 'turn', 'recording', 'sealed')
        ),
        id TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX removals_by_time ON removals (at)",
)

_LATE_SLICES = (
    # A slice that came after its session had closed is not in the transcript yet.
    """
    ALTER TABLE voice_sessions
        ADD COLUMN stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1))
    """,
    "CREATE INDEX voice_sessions_stale ON voice_sessions (opened_at) WHERE stale = 1",
    "CREATE INDEX voice_sessions_unclosed ON voice_sessions (opened_at) WHERE closed_at IS NULL",
)

_HEARD_SLICES = (
    # Whether a slice was there when its session was last listened to.
    "ALTER TABLE slices ADD COLUMN heard INTEGER NOT NULL DEFAULT 0 CHECK (heard IN (0, 1))",
    """
    UPDATE slices SET heard = 1 WHERE EXISTS (SELECT 1 FROM voice_sessions v
        WHERE v.id = voice_session_id AND (received_at <= closed_at OR v.stale = 0)
        AND v.closed_at IS NOT NULL)
    """,
)

_INTERVIEW_MEMORY = (
    "ALTER TABLE slots ADD COLUMN sensitive INTEGER NOT NULL DEFAULT 0 CHECK (sensitive IN (0, 1))",
    """
    ALTER TABLE narrators
        ADD COLUMN leader TEXT NOT NULL DEFAULT 'interviewer'
        CHECK (leader IN ('interviewer', 'person'))
    """,
    # The rolling summary is what its turns say: it goes when they go.
    "ALTER TABLE narrators DROP COLUMN summary",
    """
    CREATE TABLE avoided_topics (
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        topic TEXT NOT NULL CHECK (topic <> ''),
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        PRIMARY KEY (narrator_id, topic)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX avoided_topics_by_turn ON avoided_topics (turn_id)",
    """
    CREATE TABLE facts (
        seq INTEGER PRIMARY KEY,
        narrator_id TEXT NOT NULL REFERENCES narrators ON DELETE CASCADE,
        turn_id TEXT NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN ('person', 'place', 'year')),
        name TEXT NOT NULL CHECK (name <> ''),
        words TEXT NOT NULL CHECK (words <> '')
    ) STRICT
    """,
    "CREATE INDEX facts_by_narrator ON facts (narrator_id, kind, seq)",
    "CREATE INDEX facts_by_turn ON facts (turn_id)",
    "ALTER TABLE turns ADD COLUMN summarised INTEGER NOT NULL DEFAULT 0"
    " CHECK (summarised IN (0, 1))",
    "CREATE INDEX turns_unsummarised ON turns (conversation_id)"
    " WHERE summarised = 0 AND speaker = 'narrator'",
)

STEPS: Steps = (
    (
        "0001_founding",
        _PEOPLE + _CONVERSATIONS + _MEMOIR_STATE + _MEMOIR_WORK + _BOOKKEEPING,
    ),
    ("0002_late_slices", _LATE_SLICES),
    ("0003_interview_memory", _INTERVIEW_MEMORY),
    ("0004_heard_slices", _HEARD_SLICES),
)


def migrations(steps: Steps) -> sqlite_utils.Migrations:
    """Return the steps as a set of migrations to apply."""
    ordered = sqlite_utils.Migrations("lifeecho")
    for name, statements in steps:
        ordered(name=name)(_step(name, statements))
    return ordered


def _step(name: str, statements: Sequence[str]) -> Callable[[sqlite_utils.Database], None]:
    def apply(db: sqlite_utils.Database) -> None:
        for statement in statements:
            db.conn.execute(statement)

    apply.__name__ = name
    return apply
