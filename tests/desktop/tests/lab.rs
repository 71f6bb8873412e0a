//! The window on a real BlueZ: the whole main job, over virtual air. `DBUS_SYSTEM_BUS_ADDRESS` leads
//! to the lab (`cargo xtask test desktop-lab`).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use desktop_tests::{Window, notified};

const BATTERY: &str = "[data-key='180f/2a19']";
const STREAM: &str = "12345678-1234-5678-1234-56789abcdef1";
const SCRATCH: &str = "12345678-1234-5678-1234-56789abcdef2";
const CONTROL: &str = "12345678-1234-5678-1234-56789abcdef3";

fn row(uuid: &str) -> String {
    format!("[data-uuid='{uuid}']")
}

async fn write(window: &Window, uuid: &str, hex: &str) {
    window.click(&format!("{} .gname", row(uuid))).await;
    window.click("[data-write-kind=hex]").await;
    window.type_into("[data-testid=write-input]", hex).await;
    window.click("[data-testid=write]").await;
}

#[tokio::test]
async fn a_real_bluez_is_scanned_connected_read_written_drawn_and_recorded_whole() {
    assert!(
        std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS").is_some(),
        "this test needs the lab"
    );
    let window = Window::open(&[]).await.patient(Duration::from_secs(90));
    window
        .wait("document.querySelector('[data-testid=status]').innerText.includes('BlueZ')")
        .await;

    window.click("[data-name='Virtual HR']").await;
    window.click("[data-testid=connect]").await;
    window
        .wait("document.querySelector('[data-testid=device]').dataset.state === 'connected'")
        .await;
    window
        .wait(&format!("document.querySelector(\"{BATTERY}\")"))
        .await;

    window.click(&format!("{BATTERY} [data-action=read]")).await;
    window
        .shows(&format!("{BATTERY} [data-testid=value]"), "87 %")
        .await;

    write(&window, SCRATCH, "DE AD BE EF").await;
    window
        .click(&format!("{} [data-action=read]", row(SCRATCH)))
        .await;
    window
        .shows(
            &format!("{} [data-testid=value]", row(SCRATCH)),
            "DE AD BE EF",
        )
        .await;

    let stream = row(STREAM);
    window.click(&format!("{stream} .gname")).await;
    window.click("[data-format=layout]").await;
    window
        .type_into(
            "[data-testid=layout]",
            "seq:u32le!count, _:skip[8], value:f64le",
        )
        .await;
    window.click("[data-testid=use-layout]").await;
    window
        .click(&format!("{stream} [data-action=subscribe]"))
        .await;
    window.click(&format!("{stream} [data-action=plot]")).await;
    window
        .wait("Number(document.querySelector('[data-testid=scope]')?.dataset.points) > 100")
        .await;
    window.picture("lab");

    // Coming back would stream again, from another number.
    window.click("[data-testid=auto-reconnect]").await;
    window
        .wait("document.querySelector('[data-testid=auto-reconnect]').ariaChecked === 'false'")
        .await;
    write(&window, CONTROL, "01").await;
    window
        .shows("[data-testid=link-state]", "Not connected")
        .await;
    window.notes("disconnected").await;

    window.click("[data-testid=export]").await;
    window.click("[data-testid=export-csv]").await;
    let csv = window.home().join("lab.csv");
    window.save_as(&csv).await;
    window.notes("Exported").await;
    let sequence: Vec<u32> = notified(&csv, STREAM)
        .iter()
        .map(|value| u32::from_le_bytes([value[0], value[1], value[2], value[3]]))
        .collect();
    assert!(sequence.len() > 100, "{} values", sequence.len());
    assert!(
        sequence
            .iter()
            .copied()
            .eq(0..u32::try_from(sequence.len()).unwrap()),
        "every number once and no gap: {sequence:?}"
    );

    // Connected again, what was subscribed streams again; lost again, the device is come back to by
    // itself.
    window.click("[data-testid=auto-reconnect]").await;
    window.click("[data-testid=connect]").await;
    let state = |state: &str| {
        format!("document.querySelector('[data-testid=device]').dataset.state === '{state}'")
    };
    window.wait(&state("connected")).await;
    let subscribed = format!(
        "document.querySelector(\"{stream} [data-action=subscribe]\").ariaPressed === 'true'"
    );
    window.wait(&subscribed).await;
    write(&window, CONTROL, "01").await;
    window.wait(&state("retrying")).await;
    window.picture("retrying");
    window.wait(&state("connected")).await;
    window.wait(&subscribed).await;
    window.close().await;
}
