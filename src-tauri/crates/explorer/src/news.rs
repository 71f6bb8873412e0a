//! The one way of news to the window: a listener that can be bound anew when the page is reloaded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::view::Event;

type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// Hands events to whoever listens now; nobody listening is no error.
#[derive(Default)]
pub(crate) struct News {
    listener: Arc<Mutex<Option<Listener>>>,
    order: Arc<Mutex<()>>,
    /// It is the news of a session that is open: the program's own come from elsewhere.
    recorded: bool,
    /// A session is open in front of what is on the air.
    behind: AtomicBool,
}

impl News {
    /// News of a session, for the same listener.
    pub(crate) fn of_recorded(&self) -> Self {
        Self {
            listener: Arc::clone(&self.listener),
            order: Arc::clone(&self.order),
            recorded: true,
            ..Self::default()
        }
    }

    /// From now on what is on the air is told, or a session is open in front of it; of a session, it
    /// is shown or not. Called under [`order`](Self::order), so that nothing slips through.
    pub(crate) fn set_behind(&self, behind: bool) {
        self.behind.store(behind, Ordering::Release);
    }

    /// Whether an event of this kind is anything that the window shows now.
    fn wanted(&self, event: &Event) -> bool {
        if self.recorded && self.behind.load(Ordering::Acquire) {
            return false;
        }
        match event {
            Event::Devices(_)
            | Event::Link(_)
            | Event::Gatt(_)
            | Event::Values { .. }
            | Event::Series { .. }
            | Event::Marks { .. }
            | Event::Log { .. } => !self.behind.load(Ordering::Acquire),
            Event::Notice(_) | Event::Settings(_) | Event::Document { .. } => true,
            Event::Radio(_)
            | Event::Losses(_)
            | Event::Replay { .. }
            | Event::Recording(_)
            | Event::Rates(_)
            | Event::Pairing(_)
            | Event::Jobs { .. } => !self.recorded,
        }
    }

    /// From now on `listener` is told, and the last one no more.
    pub(crate) fn bind(&self, listener: impl Fn(Event) + Send + Sync + 'static) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(listener));
    }

    /// Whoever puts news together and tells them holds this, so that what is older is not told later.
    pub(crate) fn order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody listens: what nobody hears need not be put together.
    pub(crate) fn heard(&self) -> bool {
        self.listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Tells the listener. It is called under [`order`](Self::order), so it hands on and returns.
    pub(crate) fn tell(&self, event: Event) {
        if !self.wanted(&event) {
            return;
        }
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener {
            listener(event);
        }
    }
}
