//! The shape of the file: `schema.sql`, the two numbers by which a file is known, and how an older
//! shape becomes this one.

use rusqlite::Connection;

/// `PRAGMA application_id` of a session file: "GATT" as big-endian bytes.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"GATT");

/// `PRAGMA user_version` of the files that this version writes, and the latest that it reads.
pub const SCHEMA_VERSION: i64 = 2;

/// The tables and views, with what they mean.
pub const SCHEMA: &str = include_str!("schema.sql");

/// What makes version 2 of version 1. The copy must be as new columns are in `schema.sql`.
const SECOND: &str = "
    ALTER TABLE session ADD COLUMN comment TEXT;
    ALTER TABLE session ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE session ADD COLUMN source TEXT;
    INSERT OR IGNORE INTO kind VALUES
        (5, 'sampling', 'local', 'how many advertisements were left out since the last event of this kind, by the user''s choice', 'which ones are recorded');
    CREATE INDEX event_rare ON event (kind) WHERE kind IN (14, 41, 42);
    CREATE TABLE tally (
        device INTEGER NOT NULL,
        kind   INTEGER NOT NULL REFERENCES kind(id),
        events INTEGER NOT NULL,
        PRIMARY KEY (device, kind)
    ) WITHOUT ROWID;
    INSERT INTO tally SELECT coalesce(device, 0), kind, count(*) FROM event GROUP BY 1, 2;
    ALTER TABLE cause ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
    UPDATE cause SET lost = (SELECT coalesce(sum(count), 0) FROM gap WHERE gap.cause = cause.id);
    PRAGMA user_version = 2;
";

/// Makes a file of version `from` one of this version, all or nothing. Never on the user's own file:
/// on a copy.
pub(crate) fn migrate(file: &mut Connection, from: i64) -> rusqlite::Result<()> {
    // Rows may refer to what was never told, as they may when they are recorded.
    file.execute_batch("PRAGMA foreign_keys = OFF")?;
    let change = file.transaction()?;
    if from < 2 {
        change.execute_batch(SECOND)?;
    }
    change.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Kind};

    fn rows(sql: &str) -> Vec<(i64, String, String)> {
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch(SCHEMA).unwrap();
        rows_of(&file, sql)
    }

    fn rows_of(file: &Connection, sql: &str) -> Vec<(i64, String, String)> {
        let mut rows = file.prepare(sql).unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn the_file_explains_every_kind_as_the_program_names_it() {
        let ours: Vec<_> = Kind::ALL
            .iter()
            .map(|kind| {
                let direction = kind.direction().name();
                (kind.number(), kind.name().to_owned(), direction.to_owned())
            })
            .collect();
        assert_eq!(
            rows("SELECT id, name, direction FROM kind ORDER BY id"),
            ours
        );
    }

    #[test]
    fn the_file_explains_every_cause_as_the_program_names_it() {
        let ours: Vec<_> = Cause::ALL
            .iter()
            .map(|cause| (cause.number(), cause.name().to_owned(), String::new()))
            .collect();
        assert_eq!(rows("SELECT id, name, '' FROM cause ORDER BY id"), ours);
    }

    #[test]
    fn the_documented_numbers_are_the_ones_that_are_written() {
        assert!(SCHEMA.contains(&format!("application_id = {APPLICATION_ID} ")));
        assert!(SCHEMA.contains(&format!("user_version   = {SCHEMA_VERSION} ")));
    }

    /// Every column of every table, and every view and index.
    fn shape(file: &Connection) -> Vec<String> {
        let sql = "SELECT t.type || ' ' || t.name || ' ' || coalesce(c.cid, '') || ' '
                       || coalesce(c.name, '') || ' ' || coalesce(c.type, '') || ' '
                       || coalesce(c.\"notnull\", '') || ' ' || coalesce(c.dflt_value, '') || ' '
                       || coalesce(c.pk, '')
                     FROM sqlite_schema AS t LEFT JOIN pragma_table_info(t.name) AS c ORDER BY 1";
        let mut rows = file.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn an_older_file_becomes_exactly_what_is_written_now() {
        let new = Connection::open_in_memory().unwrap();
        new.execute_batch(SCHEMA).unwrap();
        let mut old = Connection::open_in_memory().unwrap();
        old.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        old.execute_batch(include_str!("../tests/schema-1.sql"))
            .unwrap();
        old.execute_batch(
            "INSERT INTO event (id, t_ns, kind, device) VALUES (1, 0, 1, 7), (2, 0, 1, 7), (3, 0, 43, NULL);
             INSERT INTO gap VALUES (3, 2, 12, 0, 0)",
        )
        .unwrap();
        assert_ne!(shape(&old), shape(&new));
        migrate(&mut old, 1).unwrap();
        assert_eq!(shape(&old), shape(&new));
        for (table, columns) in [
            (
                "kind",
                "id, name, direction || coalesce(number, '') || coalesce(detail, '')",
            ),
            ("cause", "id, name, what"),
        ] {
            let sql = format!("SELECT {columns} FROM {table} ORDER BY id");
            assert_eq!(rows_of(&old, &sql), rows_of(&new, &sql));
        }
        let number = |sql| old.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("PRAGMA user_version"), SCHEMA_VERSION);
        assert_eq!(
            number("SELECT events FROM tally WHERE device = 7 AND kind = 1"),
            2
        );
        assert_eq!(
            number("SELECT events FROM tally WHERE device = 0 AND kind = 43"),
            1
        );
        assert_eq!(number("SELECT lost FROM cause WHERE id = 2"), 12);
    }
}
