//! Exports as the window asks for them: by the names of devices and attributes, the fields side by side, and while the
//! recording is paused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "bench/bench.rs"]
mod bench;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bench::{Bench, contract_with};
use explorer::Preferences;
use explorer::view::{AttributeChoice, ContentsView, ExportRequest, WriteInput};
use radio::simulated::{VirtualDevice, uuids};

/// A counter and a number.
const LAYOUT: &str = "seq:u32le!count, _:skip[8], value:f64le V";

/// Two devices that stream: the strap one characteristic and its battery, the sensor several samples a value.
async fn streaming() -> Bench {
    let contents = contract_with(&[VirtualDevice::MotionSensor]);
    let bench = Bench::scanning(contents, Preferences::default()).await;
    let strap = bench.connected(VirtualDevice::VirtualHr).await;
    let stream = bench.attribute(&strap, &uuids::STREAM.to_string());
    bench.explorer.set_format(stream.id, LAYOUT).unwrap();
    bench.explorer.subscribe(stream.id).await.unwrap();
    let battery = bench.attribute(&strap, &uuids::short(0x2A19).to_string());
    bench.explorer.read(battery.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench.explorer.unsubscribe(stream.id).await.unwrap();
    bench
}

impl Bench {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn contents(&self) -> ContentsView {
        self.explorer.export_contents(None).await.unwrap()
    }

    /// The rows of a table, without its header, as its cells; and the header.
    async fn table(&self, request: ExportRequest) -> (Vec<String>, Vec<Vec<String>>) {
        let path = self.file("table.csv");
        let expected = self.explorer.count_export(request.clone()).await.unwrap();
        let fields = request.format == "fields";
        let written = self.explorer.export(request, path.clone()).await.unwrap();
        let (header, rows) = read(&path);
        assert_eq!(written.rows, rows.len() as u64);
        assert!(expected.exact);
        match fields {
            false => assert_eq!(expected.events, written.rows),
            true => {
                // An apostrophe keeps a name from being a formula.
                let names = header[2..].iter().map(|name| name.trim_start_matches('\''));
                assert!(names.eq(expected.columns.iter().map(String::as_str)));
            }
        }
        (header, rows)
    }
}

fn read(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut table = csv::Reader::from_path(path).unwrap();
    let cells = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = cells(table.headers().unwrap());
    (
        header,
        table.records().map(|row| cells(&row.unwrap())).collect(),
    )
}

fn request(format: &str) -> ExportRequest {
    ExportRequest {
        format: format.into(),
        ..ExportRequest::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_is_of_the_attributes_kinds_range_and_bytes_that_were_chosen() {
    let bench = streaming().await;
    let contents = bench.contents().await;
    let strap = bench.lab.device(VirtualDevice::VirtualHr).unwrap();
    assert_eq!(contents.devices[0].id, strap.as_str(), "it was connected");
    assert_eq!(contents.waiting, 0);
    let of_devices: u64 = contents.devices.iter().map(|device| device.events).sum();
    assert!(of_devices > 300 && of_devices <= contents.events);
    let kinds: u64 = contents.kinds.iter().map(|kind| kind.events).sum();
    assert_eq!(kinds, contents.events);
    let names: Vec<_> = contents.attributes.iter().map(|one| &*one.name).collect();
    assert!(names.contains(&"Battery Level"), "{names:?}");
    let stream = uuids::STREAM.to_string();
    let stream = contents
        .attributes
        .iter()
        .find(|one| one.name == stream)
        .unwrap();
    assert_eq!(stream.fields, ["seq", "value (V)"]);
    let choice = AttributeChoice {
        device: stream.device.clone(),
        path: stream.path.clone(),
    };
    let of_stream = || ExportRequest {
        attributes: vec![choice.clone()],
        kinds: vec!["notification".into()],
        ..request("csv")
    };
    let (header, all) = bench.table(of_stream()).await;
    assert!(all.len() > 200, "{}", all.len());
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (kind, of, seconds, hex) = (
        column("kind"),
        column("characteristic"),
        column("seconds"),
        column("hex"),
    );
    for row in &all {
        assert_eq!(
            (&*row[kind], &*row[of]),
            ("notification", &*uuids::STREAM.to_string())
        );
    }
    let times: Vec<f64> = all
        .iter()
        .map(|row| row[seconds].parse().unwrap())
        .collect();
    let (from, to) = (times[50], times[60]);
    let (_, some) = bench
        .table(ExportRequest {
            from: Some(from + 1e-6),
            to: Some(to + 1e-6),
            ..of_stream()
        })
        .await;
    assert_eq!(some, all[51..=60], "not before, and before");
    // The counter as it goes over the air, and what is around it.
    let wanted = &all[57][hex][..11];
    let (_, one) = bench
        .table(ExportRequest {
            containing: wanted.replace(' ', ""),
            from: Some(from),
            to: Some(to),
            ..of_stream()
        })
        .await;
    assert_eq!(one, [all[57].clone()]);

    for (request, code, at) in [
        (
            ExportRequest {
                containing: "0g".into(),
                ..request("csv")
            },
            "input",
            Some(0),
        ),
        (
            ExportRequest {
                from: Some(2.0),
                to: Some(2.0),
                ..request("csv")
            },
            "input",
            None,
        ),
        (
            ExportRequest {
                kinds: vec!["sneeze".into()],
                ..request("csv")
            },
            "input",
            Some(0),
        ),
        (
            ExportRequest {
                devices: vec!["nobody".into()],
                ..request("csv")
            },
            "nothing_recorded",
            None,
        ),
        (
            ExportRequest {
                attributes: vec![AttributeChoice {
                    path: "nothing".into(),
                    ..choice.clone()
                }],
                ..request("csv")
            },
            "nothing_recorded",
            None,
        ),
        (request("xlsx"), "input", Some(0)),
    ] {
        let target = bench.file("never");
        let problem = bench.explorer.export(request.clone(), target.clone()).await;
        let problem = problem.unwrap_err();
        assert_eq!((problem.code.as_str(), problem.at), (code, at), "{problem}");
        assert!(!target.exists());
    }
}

#[tokio::test(start_paused = true)]
async fn fields_stand_in_columns_of_their_devices_and_attributes_with_their_units() {
    let bench = streaming().await;
    let other = bench.connected(VirtualDevice::MotionSensor).await;
    let tree = bench.explorer.tree(&other).unwrap();
    let motion = tree
        .into_iter()
        .flat_map(|service| service.children)
        .find(|attribute| attribute.actions.subscribe.is_none())
        .unwrap();
    // Each value as several samples.
    bench
        .explorer
        .set_format(motion.id, "first:u8, x:i16le[]*0.5 mg")
        .unwrap();
    bench.explorer.subscribe(motion.id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.explorer.unsubscribe(motion.id).await.unwrap();

    let (header, rows) = bench.table(request("fields")).await;
    assert_eq!(header[..2], ["time", "seconds"]);
    let column = |end: &str| header.iter().position(|name| name.ends_with(end)).unwrap();
    let stream = uuids::STREAM;
    let seq = column(&format!("Virtual HR / {stream} / seq"));
    let value = column(&format!("Virtual HR / {stream} / value (V)"));
    let battery = header
        .iter()
        .position(|name| name.starts_with("Virtual HR / Battery Level / "))
        .unwrap();
    assert!(header[battery].ends_with(" (%)"), "{}", header[battery]);
    let (first, x) = (column(" / first"), column(" / x (mg)"));
    assert!(!header[first].starts_with("Virtual HR"));

    let numbers: Vec<u32> = rows
        .iter()
        .filter_map(|row| row[seq].parse().ok())
        .collect();
    assert!(numbers.len() > 200);
    assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "each once");
    for row in &rows {
        assert!(row[0].len() > 23 && row[0].contains('T'), "{}", row[0]);
        assert_eq!(row[seq].is_empty(), row[value].is_empty());
        assert!(
            row[seq].is_empty() || row[x].is_empty(),
            "no moment of both"
        );
    }
    assert_eq!(
        rows.iter().filter(|row| !row[battery].is_empty()).count(),
        1
    );
    // A row for each sample, all of the moment of their value; what stands once stands with the first.
    let values = rows.iter().filter(|row| !row[first].is_empty()).count();
    let samples: Vec<_> = rows.iter().filter(|row| !row[x].is_empty()).collect();
    assert!(values > 0 && samples.len() > 2 * values);
    for pair in samples.windows(2) {
        assert_eq!(
            pair[1][first].is_empty(),
            pair[0][1] == pair[1][1],
            "{pair:?}"
        );
    }

    // Held, every row has what came before it; and of one device there are only its columns.
    let strap = bench.lab.device(VirtualDevice::VirtualHr).unwrap();
    let (header, rows) = bench
        .table(ExportRequest {
            devices: vec![strap.to_string()],
            hold: true,
            ..request("fields")
        })
        .await;
    assert!(
        header[2..]
            .iter()
            .all(|name| name.starts_with("Virtual HR / "))
    );
    assert_eq!(
        rows.last()
            .unwrap()
            .iter()
            .filter(|cell| cell.is_empty())
            .count(),
        0
    );

    // A value that was written is in it when it is asked for.
    let kinds = vec!["write_request".to_owned()];
    let wanted = ExportRequest {
        kinds,
        ..request("fields")
    };
    let (_, none) = bench.table(wanted.clone()).await;
    assert!(none.is_empty());
    let scratch = bench.attribute(&strap, &uuids::SCRATCH.to_string());
    bench.explorer.set_format(scratch.id, "word:u16le").unwrap();
    let input = WriteInput {
        kind: "hex".into(),
        text: "0201".into(),
    };
    bench.explorer.write(scratch.id, input, true).await.unwrap();
    let (header, one) = bench.table(wanted).await;
    let word = header.iter().position(|name| name.ends_with(" / word"));
    assert_eq!(one.len(), 1);
    assert_eq!(one[0][word.unwrap()], "258");
}

#[tokio::test(start_paused = true)]
async fn without_a_number_there_are_no_fields_to_export() {
    let bench = streaming().await;
    let beacon = bench.contents().await.devices.last().unwrap().id.clone();
    let wanted = ExportRequest {
        devices: vec![beacon],
        ..request("fields")
    };
    let problem = bench
        .explorer
        .count_export(wanted.clone())
        .await
        .unwrap_err();
    assert_eq!(problem.code, "no_numbers");
    let target = bench.file("never.csv");
    let problem = bench.explorer.export(wanted, target.clone()).await;
    assert_eq!(problem.unwrap_err().code, "no_numbers");
    assert!(!target.exists());
}

#[tokio::test(start_paused = true)]
async fn attributes_of_one_uuid_have_columns_of_their_own() {
    let bench = streaming().await;
    let difficult = bench.connected(VirtualDevice::Difficult).await;
    let tree = bench.explorer.tree(&difficult).unwrap();
    let twin = uuids::TWIN.to_string();
    let twins: Vec<_> = tree
        .into_iter()
        .flat_map(|service| service.children)
        .filter(|attribute| attribute.uuid.uuid == twin)
        .collect();
    assert!(twins.len() > 1);
    bench.explorer.set_format(twins[0].id, "letter:u8").unwrap();
    for twin in &twins {
        bench.explorer.read(twin.id).await.unwrap();
    }
    let wanted = ExportRequest {
        devices: vec![difficult.to_string()],
        ..request("fields")
    };
    let (header, rows) = bench.table(wanted).await;
    let letters: Vec<_> = header[2..]
        .iter()
        .filter(|name| name.ends_with(" / letter"))
        .collect();
    assert_eq!(letters.len(), twins.len());
    // Each by what the device calls it.
    for (name, told) in letters.iter().zip(["first", "second", "third", "fourth"]) {
        assert!(name.ends_with(&format!(" / {told} / letter")), "{name}");
        assert!(name.starts_with("'=1+1;"), "no formula: {name}");
    }
    assert_eq!(rows.len(), twins.len());
    for (place, row) in rows.iter().enumerate() {
        let filled: Vec<_> = row[2..].iter().map(|cell| !cell.is_empty()).collect();
        assert_eq!(filled.iter().filter(|filled| **filled).count(), 1);
        assert!(filled[place], "{row:?}");
    }
}
