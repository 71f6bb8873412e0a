//! The system's Bluetooth through the `btleplug` library: BlueZ, CoreBluetooth, WinRT.
//!
//! The same code runs on all three; what differs is in `platform`, and what a system cannot do is
//! said by [`Caps`](crate::Caps). What `btleplug` leaves open is closed here:
//!
//! - **One** `btleplug` manager for as long as a [`Btleplug`] lives, built when it is first needed,
//!   and anew when Linux's message bus was gone.
//! - Every call has a deadline of its own, and connecting can be cancelled.
//! - Scanning rests while a connection is made, comes back after it and after the adapter was off,
//!   and starts anew when nothing was heard for 30 s.
//! - A write is never turned into another kind of write.
//! - A disconnection that nobody asked for is told at once, also when the adapter or the system's
//!   Bluetooth service goes.
//! - On Linux the echo of a read is not taken for a notification. BlueZ tells both in one way; see
//!   `subscriptions`. What *another* program reads of a subscribed characteristic, BlueZ echoes to
//!   this one too, and nothing tells it from a notification.
//!
//! On macOS and Windows `btleplug` keeps at most 16 values and 16 events between the system and this
//! crate and drops more without telling. The tasks that take them do nothing else, but a loss there
//! cannot be counted: [`Sample::lost_before`](crate::Sample::lost_before) is always 0.

mod adapter;
mod adverts;
pub(crate) mod fault;
mod link;
mod platform;
mod subscriptions;
mod table;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, Weak};

use ::btleplug::api::{Central as _, Manager as _};
use ::btleplug::platform::Manager;
use async_trait::async_trait;
use tokio::sync::Mutex;

use self::adapter::{Adapter, radio_state};
use self::fault::Fault;
use self::platform::HostEvent;
use crate::{
    AdapterId, AdapterInfo, Address, Backend, Clock, Error, Radio, RadioKind, RadioState, Result,
};

/// The system's Bluetooth.
///
/// It needs a Tokio runtime with more than one thread: on Windows not that of the window's thread,
/// where the system's callbacks would not come.
pub struct Btleplug {
    clock: Clock,
    host: Mutex<Option<Host>>,
}

type Opened = Arc<SyncMutex<HashMap<AdapterId, Weak<Adapter>>>>;

/// The way to the system's Bluetooth service.
struct Host {
    manager: Manager,
    /// Adapters that must not be asked for twice: on macOS each time makes new ones.
    kept: Vec<::btleplug::platform::Adapter>,
    opened: Opened,
    lost: Arc<AtomicBool>,
    watch: Arc<platform::Watch>,
}

impl Btleplug {
    /// The system's Bluetooth, stamping with `clock`. Nothing is asked of the system yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            host: Mutex::new(None),
        }
    }

    /// Every adapter with what is known of it.
    async fn found(
        &self,
        host: &mut Option<Host>,
    ) -> Result<Vec<(AdapterInfo, ::btleplug::platform::Adapter)>> {
        if host
            .as_ref()
            .is_some_and(|host| host.lost.load(Ordering::Acquire))
        {
            *host = None;
        }
        let host = match host {
            Some(host) => host,
            none => none.insert(Host::new().await?),
        };
        let mut found = Vec::new();
        for central in host.adapters().await? {
            let address = central.adapter_address().await.ok().flatten();
            let info = central.adapter_info().await.map_err(error_of)?;
            let (id, name) = platform::adapter_id(&clean(&info), address);
            let state = match central.adapter_state().await {
                Ok(state) => radio_state(&state),
                Err(::btleplug::Error::PermissionDenied) => RadioState::Unauthorized,
                Err(_) => RadioState::Unknown,
            };
            let info = AdapterInfo {
                id,
                name,
                address: address.map(|address| Address(address.into_inner())),
                state,
            };
            found.push((info, central));
        }
        found.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
        Ok(found)
    }
}

impl Host {
    async fn new() -> Result<Self> {
        let manager = Manager::new().await.map_err(error_of)?;
        let opened = Opened::default();
        let lost = Arc::new(AtomicBool::new(false));
        let (radios, is_lost) = (opened.clone(), lost.clone());
        let watch = platform::watch(move |event| take(event, &radios, &is_lost))
            .await
            .map_err(|error| error_of(::btleplug::Error::Other(Box::new(error))))?;
        Ok(Self {
            manager,
            kept: Vec::new(),
            opened,
            lost,
            watch: Arc::new(watch),
        })
    }

    async fn adapters(&mut self) -> Result<Vec<::btleplug::platform::Adapter>> {
        if !cfg!(target_vendor = "apple") {
            return self.manager.adapters().await.map_err(error_of);
        }
        if self.kept.is_empty() {
            self.kept = self.manager.adapters().await.map_err(error_of)?;
        }
        Ok(self.kept.clone())
    }
}

/// Tells the opened adapters what happened to the system's Bluetooth.
fn take(event: HostEvent, opened: &Opened, lost: &AtomicBool) {
    tracing::info!(?event, "the system's Bluetooth changed");
    let radios: Vec<(AdapterId, Arc<Adapter>)> = opened
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .filter_map(|(id, adapter)| Some((id.clone(), adapter.upgrade()?)))
        .collect();
    let all = radios.iter();
    match event {
        HostEvent::Lost => {
            lost.store(true, Ordering::Release);
            all.for_each(|(_, adapter)| adapter.changed(RadioState::Gone));
        }
        HostEvent::ServiceGone => all.for_each(|(_, adapter)| adapter.changed(RadioState::Gone)),
        HostEvent::AdapterGone(gone) => all
            .filter(|(id, _)| *id == gone)
            .for_each(|(_, adapter)| adapter.changed(RadioState::Gone)),
        HostEvent::AdapterBack(back) => all
            .filter(|(id, _)| *id == back)
            .for_each(|(_, adapter)| adapter.back()),
    }
}

fn error_of(error: ::btleplug::Error) -> Error {
    Fault::from(error).error
}

/// A text of the system's, on one line.
fn clean(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.collect::<String>().trim().to_owned()
}

#[async_trait]
impl Backend for Btleplug {
    fn kind(&self) -> RadioKind {
        RadioKind::Btleplug
    }

    fn stack(&self) -> &'static str {
        platform::STACK
    }

    async fn adapters(&self) -> Result<Vec<AdapterInfo>> {
        let mut host = self.host.lock().await;
        let found = self.found(&mut host).await?;
        Ok(found.into_iter().map(|(info, _)| info).collect())
    }

    /// Opening an adapter again while it is open gives the same radio.
    async fn open(&self, adapter: &AdapterId) -> Result<Arc<dyn Radio>> {
        let mut host = self.host.lock().await;
        let found = self.found(&mut host).await?;
        let Some(host) = host.as_ref() else {
            return Err(no_adapter(adapter));
        };
        let opened = &host.opened;
        let already = opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(adapter)
            .and_then(Weak::upgrade);
        if let Some(radio) = already {
            return Ok(radio);
        }
        let (info, central) = found
            .into_iter()
            .find(|(info, _)| info.id == *adapter)
            .ok_or_else(|| no_adapter(adapter))?;
        let radio = Adapter::open(central, info, self.clock.clone(), host.watch.clone()).await?;
        opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(adapter.clone(), Arc::downgrade(&radio));
        Ok(radio)
    }
}

fn no_adapter(id: &AdapterId) -> Error {
    Error::NoAdapter { id: id.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_system_stays_on_its_line() {
        assert_eq!(clean(" hci0\r\n(usb:\u{1b}[31m) "), "hci0  (usb: [31m)");
    }
}
