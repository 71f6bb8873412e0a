//! The shape of the file: `schema.sql`, and the two numbers by which a file is known.

/// `PRAGMA application_id` of a session file: "GATT" as big-endian bytes.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"GATT");

/// `PRAGMA user_version` of the files that this version writes, and the latest that it reads.
pub const SCHEMA_VERSION: i64 = 1;

/// The tables and views, with what they mean.
pub const SCHEMA: &str = include_str!("schema.sql");

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::{Cause, Kind};

    fn rows(sql: &str) -> Vec<(i64, String, String)> {
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch(SCHEMA).unwrap();
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
}
