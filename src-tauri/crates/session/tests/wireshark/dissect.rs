//! What Wireshark's own dissectors say of a capture.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Whether there is a tshark. Its absence is no success: it is written past the capture of the test
/// harness.
pub(crate) fn tshark_is_here() -> bool {
    if Command::new("tshark").arg("--version").output().is_ok() {
        return true;
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(
        !(ci && cfg!(target_os = "linux")),
        "tshark is not installed, and in CI nothing is skipped"
    );
    let _ = std::io::stderr().write_all(b"SKIPPED: tshark is not installed (apt install tshark)\n");
    false
}

/// What tshark says of the packets that `filter` lets through: a row for each, `fields` in it.
pub(crate) fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    // Unit and record separator: no text of ours has them, as they are escaped.
    command.args([
        "-T",
        "fields",
        "-E",
        "separator=\u{1F}",
        "-E",
        "aggregator=\u{1E}",
    ]);
    command.arg("-r").arg(file).args(["-Y", filter]);
    for field in fields {
        command.args(["-e", field]);
    }
    let run = command.output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    let text = String::from_utf8(run.stdout).unwrap();
    text.lines()
        .map(|line| line.split('\u{1F}').map(str::to_owned).collect())
        .collect()
}

/// The bytes of each ATT PDU that `filter` lets through, as tshark delimits them, in hexadecimal.
pub(crate) fn pdus(capture: &Path, filter: &str) -> Vec<String> {
    let run = Command::new("tshark")
        .args(["-T", "jsonraw", "-j", "btatt", "-Y", filter, "-r"])
        .arg(capture)
        .output()
        .unwrap();
    let packets: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let packets = packets.as_array().unwrap().iter();
    packets
        .map(|packet| &packet["_source"]["layers"]["btatt_raw"][0])
        .map(|pdu| pdu.as_str().unwrap().to_owned())
        .collect()
}

/// The operations of a client in a capture, as tshark says: microseconds, direction, opcode, handle,
/// value or error code. A read by type that is no discovery is shown as the reads that it is, and a
/// value that was read by parts as one.
pub(crate) fn operations(capture: &Path) -> Vec<[String; 5]> {
    let fields = [
        "frame.time_epoch",
        "hci_h4.direction",
        "btatt.opcode",
        "btatt.handle",
        "btatt.error_code",
        "btatt.req_opcode_in_error",
        "btatt.uuid16",
    ];
    let rows = tshark(capture, "btatt", &fields);
    let pdus = pdus(capture, "btatt");
    assert_eq!(rows.len(), pdus.len());
    let mut operations: Vec<[String; 5]> = Vec::new();
    // When the question of a read by type was asked.
    let mut by_type = None;
    for (row, pdu) in rows.into_iter().zip(pdus) {
        let [time, direction, opcode, handle, code, refused, _] = row.try_into().unwrap();
        let time = time[..time.len() - 3].to_owned();
        let mut put = |time: &str, direction: &str, opcode: &str, handle: &str, rest: &str| {
            operations.push([time, direction, opcode, handle, rest].map(str::to_owned));
        };
        match &*opcode {
            "0x08" => {
                // Services, includes and characteristics are discovery.
                let discovery = ["0028", "0128", "0228", "0328"].contains(&&pdu[10..]);
                by_type = (!discovery).then_some(time);
            }
            "0x09" => {
                let Some(asked) = by_type.take() else {
                    continue;
                };
                assert_eq!(
                    pdu.len(),
                    4 + usize::from_str_radix(&pdu[2..4], 16).unwrap() * 2
                );
                put(&asked, "0x00", "0x0a", &handle, "");
                put(&time, "0x01", "0x0b", &handle, &pdu[8..]);
            }
            "0x0a" | "0x13" | "0x1e" => put(&time, &direction, &opcode, &handle, ""),
            "0x0b" => put(&time, &direction, &opcode, &handle, &pdu[2..]),
            "0x12" | "0x52" | "0x1b" | "0x1d" => {
                put(&time, &direction, &opcode, &handle, &pdu[6..]);
            }
            "0x0d" => operations.last_mut().unwrap()[4].push_str(&pdu[2..]),
            "0x01" if ["0x0a", "0x12"].contains(&&*refused) => {
                put(&time, &direction, &opcode, &handle, &code);
            }
            _ => {}
        }
    }
    operations
}
