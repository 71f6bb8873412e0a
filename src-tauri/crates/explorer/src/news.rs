//! The one way of news to the window: a listener that can be bound anew when the page is reloaded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::view::Event;

type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// Hands events to whoever listens now; nobody listening is no error.
#[derive(Default)]
pub(crate) struct News {
    listener: Mutex<Option<Listener>>,
    order: Mutex<()>,
}

impl News {
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
