//! The window on the simulated radio: what a person does, by mouse and by keys.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use desktop_tests::{Window, notified};

const MOTION: &str = "[data-name='Motion sensor']";

async fn connect(window: &Window, device: &str) {
    window.click(device).await;
    window.click("[data-testid=connect]").await;
    window
        .wait("document.querySelector('[data-testid=device]').dataset.state === 'connected'")
        .await;
    window
        .wait("document.querySelector('[role=treegrid] [data-kind=characteristic]')")
        .await;
}

#[tokio::test]
async fn a_value_is_written_by_the_fields_of_its_format_as_they_stand_when_enter_is_pressed() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, MOTION).await;
    // The device itself says (0x2904) that its rate is a number in Hz.
    let row = window
        .run(
            "return [...document.querySelectorAll('[data-kind=characteristic]')]
               .find((row) => row.querySelector('.c-prop').innerText.includes('write')).dataset.key",
        )
        .await;
    let row = format!("[data-key='{}']", row.as_str().unwrap_or_default());
    let value = format!("{row} [data-testid=value]");
    window.click(&format!("{row} [data-action=read]")).await;
    window.shows(&value, "208 Hz").await;
    window.click(&format!("{row} .gname")).await;
    window
        .wait("document.querySelector('[data-blank=Value]')?.value === '208'")
        .await;

    // W leads from the row to the field. The last key and Enter come in one go.
    window
        .run(&format!("document.querySelector(\"{row}\").focus()"))
        .await;
    window.keys("w").await;
    window
        .wait("document.activeElement === document.querySelector('[data-blank=Value]')")
        .await;
    window.run("document.activeElement.select()").await;
    window.keys("77\u{E007}").await;
    window.click(&format!("{row} [data-action=read]")).await;
    window.shows(&value, "77 Hz").await;

    // What does not fit is not written, and the bytes go from one way of writing to the other.
    window.type_into("[data-blank=Value]", "70000").await;
    window.shows("[data-testid=write-problem]", "65535").await;
    window.run("document.activeElement.select()").await;
    window.keys("100").await;
    window.shows("[data-testid=write-bytes]", "64 00").await;
    window.click("[data-write-kind=hex]").await;
    window
        .wait("document.querySelector('[data-testid=write-input]')?.value === '64 00'")
        .await;
    window.type_into("[data-testid=write-input]", "0A 00").await;
    window.click("[data-write-kind=fields]").await;
    window
        .wait("document.querySelector('[data-blank=Value]')?.value === '10'")
        .await;
    window.close().await;
}

#[tokio::test]
async fn a_device_is_found_opened_read_written_drawn_recorded_and_exported() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, MOTION).await;

    // The rate of the stream: read, written as a number, read back.
    let row = window
        .run(
            "return [...document.querySelectorAll('[data-kind=characteristic]')]
               .find((row) => row.querySelector('.c-prop').innerText.includes('write')).dataset.key",
        )
        .await;
    let row = format!("[data-key='{}']", row.as_str().unwrap_or_default());
    window.click(&format!("{row} [data-action=read]")).await;
    window
        .shows(&format!("{row} [data-testid=value]"), "208 Hz")
        .await;
    window.click(&format!("{row} .gname")).await;
    window.click("[data-write-kind=number]").await;
    window
        .run("const s = document.querySelector('[data-testid=write-type]'); s.value = 'u16le'; s.dispatchEvent(new Event('change', { bubbles: true }))")
        .await;
    window.type_into("[data-testid=write-input]", "100").await;
    window.click("[data-testid=write]").await;
    window.click(&format!("{row} [data-action=read]")).await;
    window
        .shows(&format!("{row} [data-testid=value]"), "100 Hz")
        .await;

    // A number that does not fit, and a value that the device refuses, each with a reason.
    window.type_into("[data-testid=write-input]", "70000").await;
    window.shows("[data-testid=write-problem]", "65535").await;
    window.type_into("[data-testid=write-input]", "0").await;
    window.click("[data-testid=write]").await;
    window.notes("ATT 0x13").await;

    // The stream, by a layout.
    let stream = window
        .run(
            "return [...document.querySelectorAll('[data-kind=characteristic]')]
               .find((row) => row.querySelector('.c-prop').innerText.trim() === 'notify').dataset",
        )
        .await;
    let uuid = stream["uuid"].as_str().unwrap_or_default().to_owned();
    let row = format!("[data-uuid='{uuid}']");
    window.click(&format!("{row} .gname")).await;
    window
        .click(&format!("{row} [data-action=subscribe]"))
        .await;
    window.click("[data-format=layout]").await;
    // What is typed is tried on the newest value, and an error points at its character.
    window
        .type_into("[data-testid=layout]", "seq:u32le!count, acc:i17le")
        .await;
    window.shows("[data-testid=layout-caret]", "^").await;
    window.shows("[data-testid=layout-problem]", "i17le").await;
    window
        .type_into(
            "[data-testid=layout]",
            "seq:u32le!count, acc:i16le[3]*0.000244 g",
        )
        .await;
    window
        .shows("[data-testid=layout-preview]", "Not used yet")
        .await;
    window
        .wait("document.querySelector('.fields [data-field=\"acc[2]\"]')")
        .await;
    window.click("[data-testid=use-layout]").await;
    window
        .shows(
            "[data-testid=format-why]",
            "Your layout, chosen for every device",
        )
        .await;
    window.click(&format!("{row} [data-action=plot]")).await;
    window
        .wait("Number(document.querySelector('[data-testid=scope]')?.dataset.points) > 300")
        .await;
    let frames = window
        .run("return Number(document.querySelector('[data-testid=scope]').dataset.frames)")
        .await;
    window
        .wait(&format!(
            "Number(document.querySelector('[data-testid=scope]').dataset.frames) > {frames} + 5"
        ))
        .await;
    // Ink on the canvas: it was drawn, not only counted.
    window
        .wait("[...document.querySelectorAll('.scope canvas')].some((c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0))")
        .await;

    window
        .click(&format!("{row} [data-action=subscribe]"))
        .await;
    window
        .wait(&format!(
            "document.querySelector(\"{row} [data-action=subscribe]\").ariaPressed === 'false'"
        ))
        .await;
    window.click("[data-testid=export]").await;
    window.click("[data-testid=export-csv]").await;
    let csv = window.home().join("motion.csv");
    window.save_as(&csv).await;
    window.notes("Exported").await;
    let sequence: Vec<u32> = notified(&csv, &uuid)
        .iter()
        .map(|value| u32::from_le_bytes([value[0], value[1], value[2], value[3]]))
        .collect();
    assert!(sequence.len() > 100, "{} values", sequence.len());
    assert!(
        sequence
            .iter()
            .copied()
            .eq(0..u32::try_from(sequence.len()).unwrap()),
        "no gap"
    );

    window.click("[data-testid=disconnect]").await;
    window
        .shows("[data-testid=link-state]", "Not connected")
        .await;
    window.close().await;
}

#[tokio::test]
async fn the_keyboard_alone_finds_opens_and_reads() {
    let window = Window::open(&["--simulated"]).await;
    window
        .wait("document.querySelector(\"[data-name='Pulse strap']\")")
        .await;
    window.run("document.body.focus()").await;
    window.keys("/").await;
    window.keys("pulse").await;
    window
        .wait("document.querySelectorAll('[data-device]').length === 1")
        .await;
    // Tab leaves the field; the list takes the focus at its row.
    window
        .run("document.querySelector('[data-device][tabindex=\"0\"]').focus()")
        .await;
    window.keys("\u{E007}").await;
    window
        .wait("document.querySelector('[data-testid=connect]')")
        .await;
    window
        .run("document.querySelector('[data-device][tabindex=\"0\"]').focus()")
        .await;
    window.keys("\u{E007}").await;
    window
        .wait("document.querySelector('[data-testid=device]').dataset.state === 'connected'")
        .await;
    window
        .wait("document.querySelector('[data-key=\"180f/2a19\"]')")
        .await;
    window.run("document.querySelector('[data-key=\"180f/2a19\"]').focus(); document.querySelector('[data-key=\"180f/2a19\"] .gname').click()").await;
    window.keys("r").await;
    window
        .shows("[data-key='180f/2a19'] [data-testid=value]", "%")
        .await;
    // Up and down in the tree.
    window.keys("\u{E013}").await;
    window.wait("document.activeElement.dataset.key && document.activeElement.dataset.key !== '180f/2a19'").await;
    window.close().await;
}

#[tokio::test]
async fn a_format_is_chosen_by_keys_and_nothing_closes_or_loses_the_focus_under_them() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, MOTION).await;
    let stream = window
        .run(
            "return [...document.querySelectorAll('[data-kind=characteristic]')]
               .find((row) => row.querySelector('.c-prop').innerText.trim() === 'notify').dataset.uuid",
        )
        .await;
    let row = format!("[data-uuid='{}']", stream.as_str().unwrap_or_default());
    window.click(&format!("{row} .gname")).await;
    window
        .click(&format!("{row} [data-action=subscribe]"))
        .await;
    window.shows("[data-testid=format-why]", "No format").await;

    // Arrows go from kind to kind and choose nothing; the picker opens with Space, and stays.
    window
        .run(
            "window.pickersLost = 0;
             new MutationObserver((changes) => changes.forEach((change) => change.removedNodes.forEach((node) => {
               if (node.nodeType === 1 && (node.matches('.picker') || node.querySelector('.picker'))) window.pickersLost++;
             }))).observe(document.querySelector('.insp'), { childList: true, subtree: true });
             document.querySelector('[data-format=bytes]').focus()",
        )
        .await;
    window.keys("\u{E014}").await;
    window
        .wait("document.activeElement.dataset.format === 'number'")
        .await;
    window
        .shows("[data-format][aria-checked=true]", "Bytes")
        .await;
    window.keys(" ").await;
    window
        .shows(
            "[data-testid=format-why]",
            "Your layout, chosen for every device",
        )
        .await;
    // Longer than the inspector takes to ask again.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    window
        .run("const s = document.querySelector('[data-testid=pick-bits]'); s.value = '32'; s.dispatchEvent(new Event('change', { bubbles: true }))")
        .await;
    window
        .wait("document.querySelector('[data-testid=layout]').value === 'value:u32le'")
        .await;
    window
        .wait("document.querySelector('.fields [data-field=value]')")
        .await;
    window.picture("number");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(window.run("return window.pickersLost").await, 0);

    // For the model, from the next choice on; a layout that Enter uses leaves the focus where it is.
    window.click("[data-testid=format-forget]").await;
    window.shows("[data-testid=format-why]", "No format").await;
    window.click("[data-format=layout]").await;
    let scope = |value: &str| {
        format!(
            "const s = document.querySelector('[data-testid=format-scope]'); s.value = '{value}'; s.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        )
    };
    window.run(&scope("model")).await;
    window
        .type_into("[data-testid=layout]", "seq:u32le , x:i16le")
        .await;
    window
        .run(
            "window.focusLost = 0; document.activeElement.addEventListener('blur', () => window.focusLost++)",
        )
        .await;
    window
        .shows("[data-testid=layout-preview]", "Not used yet")
        .await;
    window.keys("\u{E007}").await;
    window
        .shows("[data-testid=format-why]", "chosen for devices of model")
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(window.run("return window.focusLost").await, 0);
    assert_eq!(
        window
            .run("return [document.activeElement.dataset.testid, document.activeElement.value].join(' ')")
            .await,
        "layout seq:u32le, x:i16le"
    );
    window.picture("layout");
    window.run(&scope("every")).await;
    window
        .shows("[data-testid=format-why]", "chosen for every device")
        .await;
    window.close().await;
}

#[tokio::test]
async fn a_file_of_formats_is_looked_at_and_taken_by_keys_from_the_palette() {
    let window = Window::open(&["--simulated"]).await;
    let file = window.home().join("formats.json");
    let formats: Vec<_> = (0..150)
        .map(|at| {
            serde_json::json!({ "uuid": format!("{:04x}", 0xE000 + at), "layout": "x:u8", "note": "of the shelf" })
        })
        .collect();
    let text = serde_json::json!({ "gattscope-formats": 1, "formats": formats, "names": { "e000": "Shelf" } });
    std::fs::write(&file, text.to_string()).unwrap();
    let load = async || {
        window.keys("\u{E009}k\u{E000}").await;
        window
            .wait("document.activeElement.dataset.testid === 'palette'")
            .await;
        window.keys("load formats\u{E007}").await;
        window.choose_file(&file).await;
        window
            .shows("[data-testid=formats-file]", "151 entries in the file")
            .await;
    };
    let tab_to = async |testid: &str| {
        for _ in 0..8 {
            window.keys("\u{E004}").await;
            let at = window
                .run("return document.activeElement.dataset.testid ?? ''")
                .await;
            if at == testid {
                return;
            }
        }
        panic!("Tab does not come to {testid}");
    };

    load().await;
    let shown = "document.querySelectorAll('[data-testid=formats-file] [data-state]').length";
    assert_eq!(window.run(&format!("return {shown}")).await, 100);
    tab_to("formats-entries").await;
    window.keys("\u{E010}").await;
    window
        .wait("document.querySelector('[data-testid=formats-entries]').scrollTop > 0")
        .await;
    tab_to("formats-more").await;
    window.keys("\u{E007}").await;
    window.wait(&format!("{shown} === 151")).await;
    window
        .wait("document.activeElement.dataset.testid === 'formats-entries'")
        .await;
    window.picture("formats-file");
    tab_to("formats-take").await;
    window.keys("\u{E007}").await;
    window
        .wait("!document.querySelector('[data-testid=formats-file]')")
        .await;

    load().await;
    window
        .shows("[data-testid=formats-take]", "Nothing to add")
        .await;
    window.keys("\u{E00C}").await;
    window
        .wait("!document.querySelector('[data-testid=formats-file]')")
        .await;
    window.close().await;
}

#[tokio::test]
async fn a_beacon_is_found_by_its_kind_read_drawn_and_given_a_layout_by_keys() {
    let window = Window::open(&["--simulated"]).await;
    window
        .wait("document.querySelectorAll('[data-device]').length > 5")
        .await;
    window.run("document.body.focus()").await;
    window.keys("/").await;
    window.keys("beacon:ruuvi").await;
    window
        .wait("document.querySelectorAll('[data-device]').length === 1")
        .await;
    // Enter in the field opens the first; the row of its payload takes the focus.
    window.keys("\u{E007}").await;
    let row = "[data-part='company:0499/ruuvi-5']";
    window
        .wait(&format!("document.querySelector(\"{row}\")"))
        .await;
    window
        .wait("document.querySelector('.fields [data-field=\"Temperature\"]')")
        .await;
    window
        .run(&format!("document.querySelector(\"{row}\").focus()"))
        .await;
    window.keys("p").await;
    window.shows(".dock", "Temperature").await;
    window
        .shows(&format!("{row} [data-testid=part-text]"), "hPa")
        .await;

    window.click("[data-format=layout]").await;
    window
        .type_into("[data-testid=advert-layout]", "kind:u8, t:i17be")
        .await;
    window
        .shows("[data-testid=advert-layout-problem]", "i17be")
        .await;
    // The caret stands under the character that is wrong.
    window
        .wait(
            "(() => {
               const [pre, mark] = ['', ' .bad'].map((which) => document.querySelector('[data-testid=advert-layout-caret]' + which)?.getBoundingClientRect());
               return pre?.width > 150 && mark.left > pre.left + 50 && mark.bottom <= pre.bottom + 1;
             })()",
        )
        .await;
    window.picture("advert-caret");
    window
        .type_into(
            "[data-testid=advert-layout]",
            "kind:u8!count, celsius:i16be*0.005 °C",
        )
        .await;
    window
        .wait("document.querySelector('.fields [data-field=celsius]')")
        .await;
    window.click("[data-testid=use-advert-layout]").await;
    window.shows(".dock", "celsius").await;
    window.close().await;
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_says_so_and_the_last_good_one_stays() {
    let window = Window::open(&["--simulated"]).await;
    window
        .wait("document.querySelectorAll('[data-device]').length > 5")
        .await;
    window
        .type_into("[data-testid=filter]", "service:180d")
        .await;
    window
        .wait("document.querySelectorAll('[data-device]').length === 1")
        .await;
    // Pasted: typed slowly, `rssi` alone would be a good filter on the way.
    window
        .run(
            "const field = document.querySelector('[data-testid=filter]');
             field.value = 'rssi>strong';
             field.dispatchEvent(new Event('input', { bubbles: true }))",
        )
        .await;
    window.shows(".fieldmsg", "rssi needs a number").await;
    window
        .wait("document.querySelectorAll('[data-device]').length === 1")
        .await;
    window.close().await;
}

#[tokio::test]
async fn a_hostile_name_is_only_ever_text() {
    let window = Window::open(&["--simulated"]).await;
    let difficult = "[...document.querySelectorAll('[data-device]')].find((row) => row.innerText.includes('Difficult'))";
    window.wait(difficult).await;
    let text = window.run(&format!("return {difficult}.innerText")).await;
    let text = text.as_str().unwrap_or_default();
    assert!(
        text.contains("<img"),
        "the markup is shown as what it is: {text:?}"
    );
    assert!(
        !text.contains('\u{202E}'),
        "no character turns the text around: {text:?}"
    );
    assert_eq!(window.run("return document.images.length").await, 0);
    assert_eq!(
        window
            .run("return document.querySelectorAll('[onerror], script:not([src])').length")
            .await,
        0
    );
    window.close().await;
}

#[tokio::test]
async fn a_command_that_is_not_granted_is_denied_by_the_real_permission_system() {
    let window = Window::open(&["--simulated"]).await;
    let call = |command: &str, arguments: &str| {
        format!(
            "window.__TAURI_INTERNALS__.invoke('{command}', {arguments}).then((answer) => done('ok ' + JSON.stringify(answer)), (error) => done('denied ' + JSON.stringify(error)))"
        )
    };
    for (command, arguments) in [
        (
            "plugin:store|load",
            "{ path: 'settings.json', options: {} }",
        ),
        ("plugin:dialog|save", "{ options: {} }"),
        ("plugin:opener|open_path", "{ path: '/' }"),
        ("plugin:event|emit", "{ event: 'x' }"),
        ("no_such_command", "{}"),
    ] {
        let answer = window.run_async(&call(command, arguments)).await;
        let answer = answer.as_str().unwrap_or_default().to_owned();
        assert!(
            answer.starts_with("denied") && answer.contains("not "),
            "{command}: {answer}"
        );
    }
    // One that is granted answers: the denials are not those of a broken bridge.
    let answer = window
        .run_async(&call("encode", "{ input: { kind: 'hex', text: '01' } }"))
        .await;
    assert!(
        answer.as_str().unwrap_or_default().starts_with("ok "),
        "{answer}"
    );
    // The page itself may not run text as code.
    let refused = window
        .run("try { new Function('return 1')(); return 'ran' } catch { return 'refused' }")
        .await;
    assert_eq!(refused, "refused");
    window.close().await;
}

#[tokio::test]
async fn the_theme_can_be_chosen() {
    let window = Window::open(&["--simulated"]).await;
    for (theme, colour) in [("dark", "rgb(21, 23, 27)"), ("light", "rgb(243, 244, 246)")] {
        window.click("[data-testid=settings]").await;
        window.click(&format!("[data-theme-choice={theme}]")).await;
        window
            .wait(&format!(
                "getComputedStyle(document.body).backgroundColor === '{colour}'"
            ))
            .await;
        window.click("[data-testid=settings]").await;
    }
    window.close().await;
}

#[tokio::test]
async fn what_was_chosen_is_there_after_a_restart() {
    let window = Window::open(&["--simulated"]).await;
    window.click("[data-testid=settings]").await;
    window.click("[data-theme-choice=dark]").await;
    window.click("[data-testid=settings]").await;
    window.click("[data-name='Room sensor']").await;
    window.click("[data-testid=star]").await;
    window.shows("[data-testid=star]", "Starred").await;
    window.click("[data-testid=rename]").await;
    window.keys("Kitchen\u{E007}").await;
    window
        .wait("document.querySelector(\"[data-name='Kitchen'] .star\")")
        .await;
    // The edge of the list, two steps to the right.
    window
        .run("document.querySelector('[data-splitter=left]').focus()")
        .await;
    window.keys("\u{E014}\u{E014}").await;
    let wide = "document.querySelector('.panel.l').getBoundingClientRect().width === 336";
    window.wait(wide).await;
    // Settings are written a moment after the last change.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;

    let window = window.reopen(&["--simulated"]).await;
    window
        .wait("getComputedStyle(document.body).backgroundColor === 'rgb(21, 23, 27)'")
        .await;
    window
        .wait("document.querySelector(\"[data-name='Kitchen'] .star\")")
        .await;
    window.wait(wide).await;
    window.close().await;
}

#[tokio::test]
async fn cursors_and_marks_measure_what_the_scope_shows() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, "[data-name='Pulse strap']").await;
    let row = "[data-uuid='00002a37-0000-1000-8000-00805f9b34fb']";
    window
        .click(&format!("{row} [data-action=subscribe]"))
        .await;
    window.click(&format!("{row} [data-action=plot]")).await;
    window
        .wait("Number(document.querySelector('[data-testid=scope]')?.dataset.points) > 8")
        .await;
    window.click("[data-view=scope]").await;
    window
        .run("const s = document.querySelector('[data-testid=span]'); s.value = '5'; s.dispatchEvent(new Event('change', { bubbles: true }))")
        .await;
    window
        .wait("Number(document.querySelector('[data-testid=scope]')?.dataset.points) < 8")
        .await;
    window.click("[data-testid=cursors]").await;
    // A heart beats in whole numbers: what stands at the cursors is what was sent, and the table tells
    // their difference.
    let cells = "[...document.querySelectorAll('[data-testid=measures] tbody tr:first-child td')].map((cell) => Number(cell.innerText.replace('\u{2212}', '-')))";
    window
        .wait(&format!("{cells}.slice(1, 3).every((value) => value > 30)"))
        .await;
    let cells = window.run(&format!("return {cells}")).await;
    let [at_a, at_b, between] = [1, 2, 3].map(|index| cells[index].as_f64().unwrap_or(f64::NAN));
    assert!((at_b - at_a - between).abs() < 1e-9, "{cells}");
    window.shows("[data-testid=pause]", "Resume").await;

    window
        .run("document.querySelector('[data-testid=scope]').focus()")
        .await;
    window.keys("m").await;
    window.shows(".marks", "Mark 1").await;
    window.click("[data-testid=export]").await;
    window.click("[data-testid=export-csv]").await;
    let csv = window.home().join("marked.csv");
    window.save_as(&csv).await;
    window.notes("Exported").await;
    let table = std::fs::read_to_string(&csv).unwrap();
    assert!(table.contains("Mark 1"), "the mark is in the recording");
    window.close().await;
}

#[tokio::test]
async fn a_device_is_paired_by_the_passkey_that_it_shows() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, "[data-name='Door lock']").await;
    let row = |last: &str| format!("[data-uuid='6c6f636b-7e57-4000-8000-00000000000{last}']");
    let (display, state) = (row("2"), row("4"));
    window.click(&format!("{state} [data-action=read]")).await;
    window.notes("Insufficient Authentication (ATT 0x05)").await;
    window.click(&format!("{display} [data-action=read]")).await;
    window.click(&format!("{display} .gname")).await;
    let bytes = "document.querySelector('[data-testid=bytes]')?.ariaLabel";
    window.wait(bytes).await;
    let shown = window.run(&format!("return {bytes}")).await;
    let passkey: String = shown
        .as_str()
        .unwrap()
        .split(' ')
        .map(|byte| char::from(u8::from_str_radix(byte, 16).unwrap()))
        .collect();

    // The note offers it; the system's question waits in a dialog that has the focus.
    window.click("[data-testid=notice-action]").await;
    window
        .wait("document.activeElement?.dataset.testid === 'passkey'")
        .await;
    window.picture("pairing");
    window.keys(&format!("{passkey}\u{E007}")).await;
    window.shows("[data-testid=device]", "Paired").await;
    window.click(&format!("{state} [data-action=read]")).await;
    window
        .shows(&format!("{state} [data-testid=value]"), "01")
        .await;
    window.close().await;
}

#[tokio::test]
async fn links_and_recording_end_well_when_the_system_asks_the_program_to_end() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, "[data-name='Pulse strap']").await;
    let recording = window.terminate().await;
    let db = rusqlite::Connection::open(&recording).expect("SQLite opens it");
    let one = |sql: &str| -> i64 { db.query_row(sql, [], |row| row.get(0)).expect(sql) };
    assert_eq!(
        one("SELECT count(*) FROM session WHERE ended_ns IS NOT NULL"),
        1
    );
    assert_eq!(
        one("SELECT count(*) FROM link WHERE down_ns IS NOT NULL"),
        1
    );
    assert_eq!(
        one(
            "SELECT count(*) FROM event JOIN kind ON kind.id = event.kind WHERE kind.name = 'disconnected'"
        ),
        1
    );
    std::fs::remove_file(recording).expect("it can go");
}

#[tokio::test]
async fn a_session_is_named_found_and_kept_and_one_that_is_past_is_deleted() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, "[data-name='Pulse strap']").await;
    window.click("[data-testid=recording]").await;
    window
        .run("[...document.querySelectorAll('button')].find((b) => b.textContent === 'New recording').click()")
        .await;
    window.click("[data-view=sessions]").await;
    let rows = "document.querySelectorAll('[data-session]').length";
    window.wait(&format!("{rows} === 2")).await;
    // The latest is first; the other is past.
    window.click("[data-session]:last-of-type").await;
    window.click("[data-testid=session-name]").await;
    window
        .run("document.querySelector('[data-testid=session-name]').select()")
        .await;
    window.keys("First light\u{E007}").await;
    window.click("[data-testid=session-keep]").await;
    window
        .shows("[data-session]:last-of-type", "First light")
        .await;
    window
        .type_into("[data-testid=session-filter]", "first LIGHT")
        .await;
    window.wait(&format!("{rows} === 1")).await;
    window.click("[data-session]").await;
    window.shows("[data-testid=session-delete]", "Delete").await;
    window.click("[data-testid=session-delete]").await;
    window.click("[data-testid=confirm-yes]").await;
    window.wait(&format!("{rows} === 0")).await;
    window.close().await;
}

#[tokio::test]
async fn a_past_session_is_opened_looked_at_and_drawn_while_what_is_on_the_air_goes_on() {
    let window = Window::open(&["--simulated"]).await;
    connect(&window, "[data-name='Pulse strap']").await;
    let rate = "[data-kind=characteristic][data-key='180d/2a37']";
    window
        .click(&format!("{rate} [data-action=subscribe]"))
        .await;
    window
        .shows(&format!("{rate} [data-testid=value]"), "bpm")
        .await;
    // Two values at least, for a line.
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    window.click("[data-testid=recording]").await;
    window
        .run("[...document.querySelectorAll('button')].find((b) => b.textContent === 'New recording').click()")
        .await;

    // By keys: the list of sessions, the past one, open.
    window.click("[data-view=sessions]").await;
    window
        .wait("document.querySelectorAll('[data-session]').length === 2")
        .await;
    window.click("[data-session]:last-of-type").await;
    window.keys("\u{E007}").await;
    window
        .shows("[data-testid=document]", "only looked at")
        .await;
    window
        .shows("[data-testid=link-state]", "Was connected")
        .await;
    window
        .shows(&format!("{rate} [data-testid=value]"), "bpm")
        .await;
    window
        .wait(&format!(
            "document.querySelector(\"{rate} [data-action=subscribe]\").getAttribute('aria-disabled') === 'true'"
        ))
        .await;
    window.click(&format!("{rate} [data-action=plot]")).await;
    window.click("[data-view=scope]").await;
    window
        .wait("Number(document.querySelector('[data-testid=scope]').dataset.frames) > 3")
        .await;
    window
        .wait(
            "[...document.querySelectorAll('canvas')].some((canvas) => { const d = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; for (let i = 3; i < d.length; i += 4) if (d[i]) return true; return false; })",
        )
        .await;
    window.click("[data-view=log]").await;
    window
        .wait("document.querySelector('#v-log, .main').innerText.includes('Connected')")
        .await;

    // What is on the air is as it was.
    window.click("[data-testid=close-session]").await;
    window
        .wait("!document.querySelector('[data-testid=document]')")
        .await;
    window.click("[data-view=explore]").await;
    window.shows("[data-testid=link-state]", "Connected").await;
    window.close().await;
}

#[tokio::test]
async fn a_session_is_played_as_the_radio_by_mouse_and_keys_and_the_radio_comes_back() {
    const RATE: &str = "[data-uuid='00002a37-0000-1000-8000-00805f9b34fb']";
    const STRIP: &str = "document.querySelector('[data-testid=replay]')";
    let window = Window::open(&["--simulated"]).await;
    let strap = "[data-name='Pulse strap']";
    connect(&window, strap).await;
    window
        .click(&format!("{RATE} [data-action=subscribe]"))
        .await;
    let rate = format!("document.querySelector(\"{RATE} [data-testid=value]\").innerText");
    window.wait(&format!("/bpm/.test({rate})")).await;

    // The session that is recorded now is played; that its connection ends is asked first.
    window.click("[data-view=sessions]").await;
    window.click("[data-session]").await;
    window.click("[data-testid=session-play]").await;
    window
        .shows("[data-testid=confirm]", "A connection ends")
        .await;
    window.click("[data-testid=confirm-yes]").await;
    window
        .wait(&format!("{STRIP}?.dataset.playing === 'true'"))
        .await;
    window.shows("[data-testid=status]", "Replay").await;

    // Held, and from its start again, by keys.
    window
        .run("document.querySelector('[data-testid=replay-play]').focus()")
        .await;
    window.keys(" ").await;
    window
        .wait(&format!("{STRIP}.dataset.playing === 'false'"))
        .await;
    window
        .run("document.querySelector('[data-testid=replay-position]').focus()")
        .await;
    window.keys("\u{E011}").await;
    window
        .wait(&format!("{STRIP}.dataset.position === '0'"))
        .await;
    connect(&window, strap).await;
    window
        .click(&format!("{RATE} [data-action=subscribe]"))
        .await;
    window.click("[data-testid=replay-step]").await;
    window.wait(&format!("/bpm/.test({rate})")).await;

    // As fast as it can, to the end.
    window.click("[data-testid=replay-pace]").await;
    window.click("[data-pace=unbounded]").await;
    window.click("[data-testid=replay-play]").await;
    window
        .wait(&format!("{STRIP}.dataset.ended === 'true'"))
        .await;

    window.click("[data-testid=replay-stop]").await;
    window.click("[data-testid=confirm-yes]").await;
    window.wait(&format!("{STRIP} === null")).await;
    window.shows("[data-testid=status]", "Simulated lab").await;
    window.click("[data-view=sessions]").await;
    window
        .wait("document.querySelectorAll('[data-session]').length === 3")
        .await;
    window.shows("[data-testid=sessions]", "Replay of ").await;
    window.close().await;
}
