//! One device as the explorer is or was connected to it: its link, its attributes, its tree.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use radio::{AttrId, AttrKind, ConnectionParameters, DeviceId, GattDb, Link, Timestamp, WriteKind};
use session::LinkKey;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::attribute::{Attribute, Reach};
use crate::device::WallOffset;
use crate::formats::{Said, Why};
use crate::reconnect::Retry;
use crate::view::{AttributeView, GattView, LinkView, Problem};

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    Connected,
    Disconnecting,
    Disconnected,
    Failed,
    /// Waiting for the next attempt.
    Retrying,
    /// Of a recording: there is nobody to connect to.
    Recorded,
}

impl Phase {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Connecting => "connecting",
            Phase::Connected => "connected",
            Phase::Disconnecting => "disconnecting",
            Phase::Disconnected => "disconnected",
            Phase::Failed => "failed",
            Phase::Retrying => "retrying",
            Phase::Recorded => "recorded",
        }
    }
}

/// A device with its tab.
pub(crate) struct Connection {
    pub(crate) device: DeviceId,
    state: Mutex<State>,
}

/// What changes about it.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) since: Timestamp,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) cancel: CancellationToken,
    pub(crate) up: Option<Up>,
    /// The device is waited for.
    pub(crate) retry: Option<Retry>,
    /// Keys of the attributes to subscribe again when it is back.
    pub(crate) wanted: Vec<String>,
    pub(crate) unexpected: bool,
    pub(crate) problem: Option<Problem>,
    /// When a question of pairing was answered that nobody here asked for.
    pub(crate) answered: Option<Timestamp>,
    /// Whether the system has keys of it, where that can be known.
    pub(crate) paired: Option<bool>,
    pub(crate) mtu: Option<u16>,
    pub(crate) rssi: Option<i16>,
    /// Connection parameters, where the system tells.
    pub(crate) parameters: Option<ConnectionParameters>,
    /// What it said of its model, once it said anything here.
    pub(crate) said: Option<Said>,
    /// What formats for its model were looked for under.
    pub(crate) models: Vec<String>,
    /// Attributes of the last discovery, in order; they stay to look at after the link is gone.
    pub(crate) attributes: Arc<[Arc<Attribute>]>,
    pub(crate) generation: u32,
    /// Somebody asked for the end of the link, or of the attempt to make one; it holds until somebody
    /// asks for a connection.
    pub(crate) asked: bool,
    /// Its tab was closed: nothing more is told of it.
    pub(crate) closed: bool,
}

/// A link that is up.
#[derive(Clone)]
pub(crate) struct Up {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) key: Option<LinkKey>,
}

impl Connection {
    pub(crate) fn new(device: DeviceId, now: Timestamp) -> Self {
        Self {
            device,
            state: Mutex::new(State {
                phase: Phase::Disconnected,
                since: now,
                deadline: None,
                cancel: CancellationToken::new(),
                up: None,
                retry: None,
                wanted: Vec::new(),
                unexpected: false,
                problem: None,
                answered: None,
                paired: None,
                mtu: None,
                rssi: None,
                parameters: None,
                said: None,
                models: Vec::new(),
                attributes: Arc::new([]),
                generation: 0,
                asked: false,
                closed: false,
            }),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The link, if it is up.
    pub(crate) fn link(&self) -> Result<Arc<dyn Link>, Problem> {
        self.state()
            .up
            .as_ref()
            .map(|up| Arc::clone(&up.link))
            .ok_or_else(|| radio::Error::NotConnected.into())
    }

    /// The attributes of the last discovery.
    pub(crate) fn attributes(&self) -> Arc<[Arc<Attribute>]> {
        Arc::clone(&self.state().attributes)
    }

    /// One of them.
    pub(crate) fn attribute(&self, id: AttrId) -> Option<Arc<Attribute>> {
        self.attributes()
            .iter()
            .find(|attribute| attribute.id == id)
            .cloned()
    }

    /// Takes over what a discovery found. What is remembered of an attribute goes on with its handle
    /// and UUID, else under its key: its place in the tree.
    pub(crate) fn discovered(
        &self,
        link: &dyn Link,
        format: impl Fn(Uuid) -> (Option<decode::Format>, Why),
    ) {
        let max_write = |attribute: &radio::Attribute| {
            let max = |kind| link.max_write(attribute.id, kind).unwrap_or(0);
            match attribute.kind {
                AttrKind::Service => (0, 0),
                _ => (
                    max(WriteKind::WithResponse),
                    max(WriteKind::WithoutResponse),
                ),
            }
        };
        self.found(&link.gatt(), &|found| Reach::Link(max_write(found)), format);
    }

    /// Takes over what a discovery found that was recorded.
    pub(crate) fn recorded(
        &self,
        db: &GattDb,
        format: impl Fn(Uuid) -> (Option<decode::Format>, Why),
    ) {
        self.found(db, &|_| Reach::Recording, format);
    }

    fn found(
        &self,
        db: &GattDb,
        reach: &dyn Fn(&radio::Attribute) -> Reach,
        format: impl Fn(Uuid) -> (Option<decode::Format>, Why),
    ) {
        let keys = keys(db);
        let mut state = self.state();
        let before = heirs(db, &keys, &state.attributes);
        let attributes: Arc<[_]> = db
            .attributes()
            .iter()
            .zip(keys)
            .zip(before)
            .map(|((found, (key, instance)), before)| {
                Arc::new(Attribute::new(
                    found,
                    key,
                    instance,
                    reach(found),
                    before.as_deref(),
                    format(found.uuid),
                ))
            })
            .collect();
        state.attributes = attributes;
        state.generation = db.generation().0;
    }

    pub(crate) fn view(
        &self,
        (name, address): (String, String),
        auto_reconnect: bool,
        wall: WallOffset,
    ) -> LinkView {
        let state = self.state();
        LinkView {
            device: self.device.to_string(),
            name,
            address,
            state: state.phase.name().into(),
            since_ms: wall.ms(state.since),
            deadline_ms: state.deadline.map(|deadline| wall.ms(deadline)),
            paired: state.paired,
            mtu: state.mtu,
            rssi: state.rssi,
            parameters: state.parameters.map(Into::into),
            unexpected: state.unexpected,
            retry: state.retry.as_ref().map(|retry| retry.view(wall)),
            auto_reconnect,
            problem: state.problem.clone(),
        }
    }

    /// The tree, if anything was ever discovered.
    pub(crate) fn gatt(&self) -> Option<GattView> {
        let (attributes, generation) = {
            let state = self.state();
            (Arc::clone(&state.attributes), state.generation)
        };
        let services: Vec<_> = tree(&attributes, None);
        (!services.is_empty()).then(|| GattView {
            device: self.device.to_string(),
            generation,
            services,
        })
    }
}

/// For each attribute that was found, the one of the last discovery that it continues: with its
/// handle and UUID, else in its place. None continues in two.
fn heirs(
    db: &GattDb,
    keys: &[(String, Option<(u32, u32)>)],
    before: &[Arc<Attribute>],
) -> Vec<Option<Arc<Attribute>>> {
    let by_handle: HashMap<_, _> = before
        .iter()
        .filter_map(|attribute| Some(((attribute.handle?, attribute.uuid), attribute)))
        .collect();
    let mut left: HashMap<&str, _> = before
        .iter()
        .map(|attribute| (attribute.key.as_str(), attribute))
        .collect();
    let mut heirs: Vec<Option<Arc<Attribute>>> = db
        .attributes()
        .iter()
        .map(|found| {
            let same = by_handle.get(&(found.handle?, found.uuid))?;
            left.remove(same.key.as_str()).cloned()
        })
        .collect();
    for (heir, (key, _)) in heirs.iter_mut().zip(keys) {
        if heir.is_none() {
            *heir = left.remove(key.as_str()).cloned();
        }
    }
    heirs
}

fn tree(attributes: &[Arc<Attribute>], parent: Option<AttrId>) -> Vec<AttributeView> {
    attributes
        .iter()
        .filter(|attribute| attribute.parent == parent)
        .map(|attribute| attribute.view(tree(attributes, Some(attribute.id))))
        .collect()
}

/// For each attribute its place in words (`180d/2a37`, `#2` for a second instance) and, where a UUID
/// stands several times under one parent, which of how many it is.
fn keys(db: &GattDb) -> Vec<(String, Option<(u32, u32)>)> {
    let mut counts: HashMap<(Option<AttrId>, Uuid), u32> = HashMap::new();
    let instances: Vec<u32> = db
        .attributes()
        .iter()
        .map(|attribute| {
            let count = counts
                .entry((attribute.parent, attribute.uuid))
                .or_default();
            *count += 1;
            *count
        })
        .collect();
    let mut keys: Vec<(String, Option<(u32, u32)>)> = Vec::new();
    for (attribute, instance) in db.attributes().iter().zip(instances) {
        let of = counts
            .get(&(attribute.parent, attribute.uuid))
            .copied()
            .unwrap_or(1);
        let mut key = attribute
            .parent
            .and_then(|parent| keys.get(usize::from(parent.index)))
            .map_or_else(String::new, |(parent, _)| format!("{parent}/"));
        key.push_str(
            &decode::names::short(attribute.uuid)
                .to_string()
                .to_lowercase()
                .replace("0x", ""),
        );
        if instance > 1 {
            key.push_str(&format!("#{instance}"));
        }
        keys.push((key, (of > 1).then_some((instance, of))));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use radio::Properties;

    #[test]
    fn what_is_remembered_follows_its_handle_and_is_never_shared() {
        let build = |handles: &[u16]| {
            let mut db = GattDb::new();
            let uuid = decode::names::uuid16(0x181A);
            let service = db
                .push(AttrKind::Service, uuid, None, None, Properties::default())
                .unwrap();
            for handle in handles {
                let uuid = decode::names::uuid16(0x2A6E);
                let handle = Some(radio::Handle(*handle));
                let kind = AttrKind::Characteristic;
                db.push(kind, uuid, handle, Some(service), Properties::default())
                    .unwrap();
            }
            db
        };
        let first = build(&[10, 20]);
        let before: Vec<_> = first
            .attributes()
            .iter()
            .zip(keys(&first))
            .map(|(found, (key, instance))| {
                let reach = Reach::Link((0, 0));
                let format = (None, Why::None);
                Arc::new(Attribute::new(found, key, instance, reach, None, format))
            })
            .collect();
        // The first is gone; the second stands in its place, and a new one in that of the second.
        let second = build(&[20, 30]);
        let heirs: Vec<_> = heirs(&second, &keys(&second), &before)
            .into_iter()
            .map(|heir| heir.and_then(|heir| heir.handle))
            .collect();
        assert_eq!(heirs, [None, Some(radio::Handle(20)), None]);
    }

    #[test]
    fn each_instance_of_a_uuid_has_a_key_of_its_own() {
        let mut db = GattDb::new();
        let mut push = |kind, short, parent| {
            let uuid = decode::names::uuid16(short);
            db.push(kind, uuid, None, parent, Properties::default())
                .unwrap()
        };
        let first = push(AttrKind::Service, 0x181A, None);
        let one = push(AttrKind::Characteristic, 0x2A6E, Some(first));
        push(AttrKind::Descriptor, 0x2902, Some(one));
        push(AttrKind::Characteristic, 0x2A6E, Some(first));
        let second = push(AttrKind::Service, 0x181A, None);
        push(AttrKind::Characteristic, 0x2A6E, Some(second));
        assert_eq!(
            keys(&db),
            [
                ("181a".to_owned(), Some((1, 2))),
                ("181a/2a6e".to_owned(), Some((1, 2))),
                ("181a/2a6e/2902".to_owned(), None),
                ("181a/2a6e#2".to_owned(), Some((2, 2))),
                ("181a#2".to_owned(), Some((2, 2))),
                ("181a#2/2a6e".to_owned(), None),
            ]
        );
    }
}
