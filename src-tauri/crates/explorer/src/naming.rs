//! What an attribute is called, and who says so: the user, the device itself, or the Bluetooth SIG and vendors.

use radio::AttrKind;
use serde::Serialize;
use ts_rs::TS;
use uuid::Uuid;

use crate::attribute::Attribute;
use crate::connection::Connection;
use crate::explorer::{Explorer, Inner};
use crate::gatt::{DESCRIPTION_LENGTH, id};
use crate::view::Problem;

/// A name of an attribute, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct NameView {
    /// The name, fit to be shown.
    pub name: String,
    /// `yours`, `said by the device`, `assigned by the Bluetooth SIG` and its like, or whose UUID it is:
    /// `Nordic Semiconductor`.
    pub source: String,
}

impl Attribute {
    /// The name to show.
    pub(crate) fn name(&self) -> String {
        self.names().into_iter().next().map_or_else(
            || {
                match self.kind {
                    AttrKind::Service => "Unknown service",
                    AttrKind::Characteristic => "Unknown characteristic",
                    AttrKind::Descriptor => "Unknown descriptor",
                }
                .into()
            },
            |first| first.name,
        )
    }

    /// Every name that it has: the user's before the device's before the assigned one.
    pub(crate) fn names(&self) -> Vec<NameView> {
        let view = |name: &str, source: String| NameView {
            name: name.to_owned(),
            source,
        };
        let memory = self.memory();
        let yours = memory.own_name.as_deref();
        let device = memory.description.as_deref();
        let known = self
            .known()
            .map(|known| view(known.name, known.giver.to_string()));
        [
            yours.map(|name| view(name, "yours".into())),
            device.map(|name| view(name, "said by the device".into())),
            known,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What the Bluetooth SIG or a vendor calls it.
    pub(crate) fn known(&self) -> Option<decode::names::Known> {
        match self.kind {
            AttrKind::Service => decode::names::known_service(self.uuid),
            AttrKind::Characteristic => decode::names::known_characteristic(self.uuid),
            AttrKind::Descriptor => decode::names::known_descriptor(self.uuid),
        }
    }
}

impl Inner {
    /// The user's name for a UUID.
    pub(crate) fn own_name(&self, uuid: Uuid) -> Option<String> {
        let name =
            self.preference(|preferences| preferences.names.get(&uuid.to_string()).cloned())?;
        // The file of preferences is not only written by us.
        cleaned(&name)
    }

    /// The attributes of a connection have the user's names; whether that changed any.
    pub(crate) fn give_names(&self, connection: &Connection) -> bool {
        let mut any = false;
        for attribute in connection.attributes().iter() {
            let own = self.own_name(attribute.uuid);
            if std::mem::replace(&mut attribute.memory().own_name, own.clone()) != own {
                let device = connection.device.to_string();
                self.scope
                    .rename(&device, &attribute.key, &attribute.name());
                any = true;
            }
        }
        any
    }

    /// What is on the screen has the user's names, after they changed.
    pub(crate) fn take_over_names(&self) {
        for connection in self.connections() {
            if self.give_names(&connection) {
                self.tell_tree(&connection);
                self.tell_series();
            }
        }
    }
}

impl Explorer {
    /// Gives the UUID of an attribute a name of the user's, wherever it stands; a blank one takes it away.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the attribute is of an earlier discovery.
    pub fn set_name(&self, attribute: u64, name: &str) -> Result<(), Problem> {
        let inner = &self.0;
        let (_, chosen) = inner.attribute(id(attribute)?)?;
        let uuid = chosen.uuid.to_string();
        inner.prefer(|preferences| {
            match cleaned(name) {
                Some(name) => preferences.names.insert(uuid, name),
                None => preferences.names.remove(&uuid),
            };
        });
        inner.take_over_names();
        Ok(())
    }
}

/// A name fit to be shown, if anything of it is left.
fn cleaned(name: &str) -> Option<String> {
    let name = decode::clean::text(name.trim(), DESCRIPTION_LENGTH).into_owned();
    (!name.is_empty()).then_some(name)
}
