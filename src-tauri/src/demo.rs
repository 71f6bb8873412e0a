//! A demonstration: devices of the simulated lab, connected, subscribed and drawn, to look at.

use std::time::Duration;

use explorer::Explorer;
use explorer::view::{AttributeView, Problem};
use radio::DeviceId;
use radio::simulated::{Simulated, VirtualDevice, uuids};

/// What the motion sensor sends; see [`radio::simulated`].
const MOTION: &str = "seq:u32le!count, acc:i16le[3]*0.000244 g";

/// Connects, subscribes and plots.
pub(crate) async fn run(explorer: &Explorer, lab: &Simulated) -> Result<(), Problem> {
    // Long enough to have heard everybody once.
    tokio::time::sleep(Duration::from_secs(3)).await;
    if let Some(strap) = lab.device(VirtualDevice::PulseStrap) {
        let rate = uuids::short(0x2A37).to_string();
        show(explorer, strap, &rate, "").await?;
    }
    if let Some(motion) = lab.device(VirtualDevice::MotionSensor) {
        show(explorer, motion, &uuids::MOTION_STREAM.to_string(), MOTION).await?;
    }
    Ok(())
}

async fn show(
    explorer: &Explorer,
    device: DeviceId,
    uuid: &str,
    format: &str,
) -> Result<(), Problem> {
    explorer.connect(device.clone()).await?;
    let tree = explorer.tree(&device);
    let Some(attribute) = tree.as_deref().and_then(|tree| find(tree, uuid)) else {
        return Ok(());
    };
    if !format.is_empty() {
        explorer.set_format(attribute, format)?;
    }
    explorer.subscribe(attribute).await?;
    explorer.plot(attribute, true)
}

fn find(tree: &[AttributeView], uuid: &str) -> Option<u64> {
    tree.iter().find_map(|attribute| {
        if attribute.uuid.uuid == uuid {
            Some(attribute.id)
        } else {
            find(&attribute.children, uuid)
        }
    })
}
