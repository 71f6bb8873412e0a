//! Which handle each attribute has: the one that was told, or one that is made up.

use std::collections::{HashMap, HashSet};

use radio::{AttrId, AttrKind, Generation, Handle};

use super::is_configuration;
use crate::Attribute;

/// The handles of all attributes, those that are made up marked.
pub(super) struct Handles {
    of: HashMap<AttrId, (Handle, bool)>,
    /// The Client Characteristic Configuration of a characteristic.
    configuration: HashMap<AttrId, (Handle, bool)>,
    used: HashMap<Generation, HashSet<u16>>,
}

impl Handles {
    /// Handles that were told stay; the others follow the attribute before them, with room for the
    /// declaration of a characteristic, as a server would number them.
    pub(super) fn new(attributes: &HashMap<AttrId, Attribute>) -> Self {
        let mut handles = Self {
            of: HashMap::with_capacity(attributes.len()),
            configuration: HashMap::new(),
            used: HashMap::new(),
        };
        let mut sorted: Vec<_> = attributes.values().collect();
        sorted.sort_by_key(|attribute| attribute.id);
        for attribute in &sorted {
            if let Some(handle) = attribute.handle {
                let used = handles.used.entry(attribute.id.generation).or_default();
                used.insert(handle.0);
                if attribute.kind == AttrKind::Characteristic {
                    used.insert(handle.0.saturating_sub(1));
                }
                handles.of.insert(attribute.id, (handle, false));
            }
        }
        let mut before: Option<(Generation, u16)> = None;
        for attribute in sorted {
            let generation = attribute.id.generation;
            let last = before
                .filter(|(last, _)| *last == generation)
                .map_or(0, |(_, handle)| handle);
            let handle = match attribute.handle {
                Some(handle) => handle.0,
                None => {
                    let mut from = last;
                    if attribute.kind == AttrKind::Characteristic {
                        from = handles.take(generation, last);
                    }
                    let handle = handles.take(generation, from);
                    handles.of.insert(attribute.id, (Handle(handle), true));
                    handle
                }
            };
            if let Some(parent) = attribute.parent.filter(|_| is_configuration(attribute)) {
                let handle = (Handle(handle), attribute.handle.is_none());
                handles.configuration.entry(parent).or_insert(handle);
            }
            before = Some((generation, handle));
        }
        handles
    }

    /// The handle of an attribute, and whether it is made up.
    pub(super) fn of(&mut self, id: AttrId) -> (Handle, bool) {
        if let Some(known) = self.of.get(&id) {
            return *known;
        }
        let handle = (Handle(self.take(id.generation, 0)), true);
        self.of.insert(id, handle);
        handle
    }

    /// The handle of an attribute that stands in the file.
    pub(super) fn known(&self, id: AttrId) -> Option<Handle> {
        self.of.get(&id).map(|(handle, _)| *handle)
    }

    /// The handle of a characteristic's Client Characteristic Configuration, and whether it is made
    /// up.
    pub(super) fn configuration_of(&mut self, id: AttrId) -> (Handle, bool) {
        if let Some(known) = self.configuration.get(&id) {
            return *known;
        }
        let after = self.of(id).0.0;
        let handle = (Handle(self.take(id.generation, after)), true);
        self.configuration.insert(id, handle);
        handle
    }

    /// The next handle after `after` that nothing has; the last one if all are taken.
    fn take(&mut self, generation: Generation, after: u16) -> u16 {
        let used = self.used.entry(generation).or_default();
        if used.len() >= usize::from(u16::MAX) {
            return u16::MAX;
        }
        let mut behind = after.saturating_add(1)..=u16::MAX;
        let free = behind
            .find(|handle| !used.contains(handle))
            .or_else(|| (1..=after).find(|handle| !used.contains(handle)))
            .unwrap_or(u16::MAX);
        used.insert(free);
        free
    }
}
