//! A session that was recorded from one radio is used as another: what was seen then is seen again.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "bench/bench.rs"]
mod bench;

use std::time::Duration;

use bench::Bench;
use explorer::view::{Event, PumpRequest, SessionView};
use explorer::{Preferences, ReplayCommand, ReplayView};
use radio::simulated::{Lab, VirtualDevice, uuids};

const FORMAT: &str = "seq:u32le!count, _:skip[8], value:f64le";

async fn scanning() -> Bench {
    Bench::scanning(Lab::contract(), Preferences::default()).await
}

impl Bench {
    fn replay(&self) -> Option<ReplayView> {
        self.last(|event| match event {
            Event::Replay { replay } => Some(replay.clone()),
            _ => None,
        })
        .unwrap()
    }

    fn stream_attribute(&self) -> u64 {
        let device = self.device(VirtualDevice::VirtualHr);
        self.attribute(&device, &uuids::STREAM.to_string()).id
    }

    async fn stream(&self) {
        self.connected(VirtualDevice::VirtualHr).await;
        let stream = self.stream_attribute();
        self.explorer.set_format(stream, FORMAT).unwrap();
        self.explorer.plot(stream, true).unwrap();
        self.explorer.subscribe(stream).await.unwrap();
    }

    /// The points of the series called `value`: seconds from the first, and numbers.
    async fn points(&self) -> (Vec<f64>, Vec<f64>) {
        let series = self.series();
        let value = series.iter().find(|one| one.name == "value").unwrap();
        let request = PumpRequest {
            series: vec![value.id],
            from: Some(0.0),
            span: 1000.0,
            pixels: 8000,
            seen: 0,
            patience_ms: 0,
        };
        let frame = self.explorer.pump(&request).await;
        let points = u32::from_le_bytes(frame[52..56].try_into().unwrap()) as usize;
        let column = |from: usize| -> Vec<f64> {
            frame[96 + from * 8..96 + (from + points) * 8]
                .chunks_exact(8)
                .map(|eight| f64::from_le_bytes(eight.try_into().unwrap()))
                .collect()
        };
        let (xs, ys) = (column(0), column(points));
        (xs.iter().map(|x| x - xs[0]).collect(), ys)
    }

    async fn sessions(&self) -> Vec<SessionView> {
        let listed = self.explorer.sessions(String::new()).await.unwrap();
        listed.sessions
    }

    /// Waits until the replay stands at its end.
    async fn played(&self) -> ReplayView {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            if let Some(view) = self.replay().filter(|view| view.ended) {
                return view;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_drawn_from_the_radio_is_drawn_again_from_its_recording() {
    let bench = scanning().await;
    bench.stream().await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let stream = bench.stream_attribute();
    bench.explorer.unsubscribe(stream).await.unwrap();
    let (times, numbers) = bench.points().await;
    assert!(numbers.len() > 350, "{}", numbers.len());
    let file = bench.recording().name;

    // The session that is being recorded is played, up to now; then once more, and faster.
    for factor in [1.0, 10.0] {
        bench.explorer.replay_session(file.clone()).await.unwrap();
        bench.explorer.replay(ReplayCommand::Pause).unwrap();
        let radio = bench.radio();
        assert!(radio.simulated && radio.scanning, "{radio:?}");
        assert_eq!(radio.stack, "Replay");
        assert_eq!(radio.fallback, None);
        let replays = radio.adapters.iter();
        let replays = replays.filter(|one| one.name.starts_with("Replay: "));
        assert_eq!(replays.count(), 1, "{radio:?}");

        bench.explorer.clear_scope();
        let seek = ReplayCommand::Seek { position_s: 0.0 };
        let pace = ReplayCommand::Pace {
            factor: Some(factor),
        };
        bench.explorer.replay(seek).unwrap();
        bench.explorer.replay(pace).unwrap();
        bench.stream().await;
        bench.explorer.replay(ReplayCommand::Play).unwrap();
        let view = bench.played().await;
        assert_eq!((view.file, view.playing), (file.clone(), false));
        assert_ne!(bench.recording().name, file, "it is a session of its own");
        let (again, same) = bench.points().await;
        assert!(same == numbers, "{} of {}", same.len(), numbers.len());
        for (again, before) in again.iter().zip(&times) {
            assert!(
                (again - before / factor).abs() < 2e-9,
                "{again} s for {before} s at {factor}"
            );
        }
    }
    bench.explorer.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_of_a_replay_says_so_and_what_comes_after_it_is_not_one() {
    let bench = scanning().await;
    let file = bench.recording().name;
    let problem = bench.explorer.replay(ReplayCommand::Play).unwrap_err();
    assert_eq!(problem.code, "no_replay");
    let problem = bench
        .explorer
        .replay_session("nothing.gattscope".into())
        .await
        .unwrap_err();
    assert_eq!(problem.code, "no_session");

    bench.explorer.replay_session(file.clone()).await.unwrap();
    let pace = ReplayCommand::Pace { factor: Some(1e9) };
    assert_eq!(bench.explorer.replay(pace).unwrap_err().code, "input");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let during = bench.recording().name;
    bench.explorer.stop_replay().await.unwrap();
    assert_eq!(bench.replay(), None);
    let radio = bench.radio();
    assert_eq!(radio.stack, "Simulated lab");
    assert!(radio.scanning);
    assert_eq!(radio.adapters.len(), 1, "{radio:?}");
    bench.explorer.stop_replay().await.unwrap();

    let sessions = bench.sessions().await;
    assert_eq!(sessions.len(), 3);
    let of_replay = sessions.iter().find(|one| one.file == during).unwrap();
    assert!(
        of_replay.name.starts_with("Replay of "),
        "{}",
        of_replay.name
    );
    assert!(of_replay.events > 5, "{}", of_replay.events);
    let found = bench.explorer.sessions("came from the air".into()).await;
    let found = found.unwrap().sessions;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].file, during);
    assert!(sessions[0].name != of_replay.name);
    bench.explorer.close().await;
}
