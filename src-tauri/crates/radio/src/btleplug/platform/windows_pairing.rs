//! Pairing by WinRT itself, which `btleplug` has no interface for.

use std::sync::Arc;
use std::time::Duration;

use ::btleplug::api::BDAddr;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use windows::Devices::Bluetooth::BluetoothLEDevice;
use windows::Devices::Enumeration::{
    DeviceInformationCustomPairing, DeviceInformationPairing, DevicePairingKinds,
    DevicePairingRequestedEventArgs, DevicePairingResultStatus, DeviceUnpairingResultStatus,
};
use windows::Foundation::TypedEventHandler;
use windows::core::{HRESULT, HSTRING};

use crate::{
    DeviceId, Error, PairingAnswer, PairingFailure, PairingQuestion, PairingRequest, PairingSink,
    Result,
};

/// How long Windows may take to say what it knows of a device.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a pairing may take, the user's answer included: the device gives up before.
const PAIRING: Duration = Duration::from_secs(60);

const E_INVALIDARG: HRESULT = HRESULT(0x8007_0057_u32.cast_signed());

fn os(error: &windows::core::Error) -> Error {
    Error::Os {
        message: error.message(),
    }
}

async fn pairing_of(device: &DeviceId) -> Result<DeviceInformationPairing> {
    let unknown = || Error::UnknownDevice {
        device: device.to_string(),
    };
    let address: BDAddr = device.as_str().parse().map_err(|_| unknown())?;
    let found = async {
        let found = BluetoothLEDevice::FromBluetoothAddressAsync(address.into())?.await?;
        found.DeviceInformation()?.Pairing()
    };
    match timeout(ANSWER, found).await {
        Ok(found) => found.map_err(|error| os(&error)),
        Err(_) => Err(Error::TimedOut {
            operation: "Asking Windows about the device",
            after: ANSWER,
        }),
    }
}

/// Tells Windows that nobody answers any more, however the pairing ends.
struct Asking {
    custom: DeviceInformationCustomPairing,
    token: i64,
    withdrawn: CancellationToken,
}

impl Asking {
    fn begin(
        device: &DeviceId,
        custom: DeviceInformationCustomPairing,
        questions: Arc<dyn PairingSink>,
    ) -> windows::core::Result<Self> {
        let withdrawn = CancellationToken::new();
        let (device, told, runtime) = (device.clone(), withdrawn.clone(), Handle::current());
        let handler = TypedEventHandler::<
            DeviceInformationCustomPairing,
            DevicePairingRequestedEventArgs,
        >::new(move |_, arguments| {
            if let Some(arguments) = arguments.as_ref() {
                asked(&device, &*questions, &told, &runtime, arguments)?;
            }
            Ok(())
        });
        let token = custom.PairingRequested(&handler)?;
        Ok(Self {
            custom,
            token,
            withdrawn,
        })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.withdrawn.cancel();
        let _ = self.custom.RemovePairingRequested(self.token);
    }
}

pub(in crate::btleplug) async fn pair(
    device: &DeviceId,
    questions: Arc<dyn PairingSink>,
    cancel: CancellationToken,
) -> Result<()> {
    let custom = pairing_of(device)
        .await?
        .Custom()
        .map_err(|error| os(&error))?;
    let asking = Asking::begin(device, custom, questions).map_err(|error| os(&error))?;
    let kinds = DevicePairingKinds::ConfirmOnly
        | DevicePairingKinds::DisplayPin
        | DevicePairingKinds::ProvidePin
        | DevicePairingKinds::ConfirmPinMatch;
    let pairs = asking.custom.PairAsync(kinds).map_err(|error| os(&error))?;
    // Windows goes on with what is only dropped.
    let operation = pairs.clone();
    let given_up = GivenUp(move || operation.Cancel());
    let pair = async { pairs.await?.Status() };
    let status = tokio::select! {
        paired = timeout(PAIRING, pair) => match paired {
            Ok(status) => status.map_err(|error| os(&error))?,
            Err(_) => return Err(Error::Pairing(PairingFailure::TimedOut)),
        },
        () = cancel.cancelled() => return Err(Error::Cancelled),
    };
    drop(given_up);
    outcome(status)
}

/// Cancels a pairing when it is dropped; one that is over stays as it is.
struct GivenUp<F: Fn() -> windows::core::Result<()>>(F);

impl<F: Fn() -> windows::core::Result<()>> Drop for GivenUp<F> {
    fn drop(&mut self) {
        if let Err(error) = (self.0)() {
            tracing::debug!(%error, "the pairing could not be cancelled");
        }
    }
}

fn outcome(status: DevicePairingResultStatus) -> Result<()> {
    use DevicePairingResultStatus as S;
    Err(match status {
        S::Paired | S::AlreadyPaired => return Ok(()),
        S::AuthenticationFailure | S::InvalidCeremonyData | S::ProtectionLevelCouldNotBeMet => {
            Error::Pairing(PairingFailure::Authentication)
        }
        S::ConnectionRejected
        | S::RejectedByHandler
        | S::AuthenticationNotAllowed
        | S::NotReadyToPair
        | S::AccessDenied => Error::Pairing(PairingFailure::Refused),
        S::PairingCanceled => Error::Pairing(PairingFailure::Cancelled),
        S::AuthenticationTimeout => Error::Pairing(PairingFailure::TimedOut),
        S::HardwareFailure | S::TooManyConnections => Error::Pairing(PairingFailure::Unreachable),
        S::OperationAlreadyInProgress => Error::Busy {
            operation: "Pairing with this device",
        },
        other => Error::Os {
            message: format!("pairing ended with DevicePairingResultStatus {}", other.0),
        },
    })
}

/// Hands a question on, on Windows' own thread; the answer comes on the radio's runtime.
fn asked(
    device: &DeviceId,
    questions: &dyn PairingSink,
    withdrawn: &CancellationToken,
    runtime: &Handle,
    arguments: &DevicePairingRequestedEventArgs,
) -> windows::core::Result<()> {
    let shown = || -> windows::core::Result<u32> {
        let passkey = arguments.Pin()?.to_string();
        // Another number than the device's would be worse than none.
        let no_number = |_| windows::core::Error::new(E_INVALIDARG, "the passkey is no number");
        passkey.trim().parse().map_err(no_number)
    };
    let question = match arguments.PairingKind()? {
        DevicePairingKinds::DisplayPin => PairingQuestion::ShowPasskey(shown()?),
        DevicePairingKinds::ProvidePin => PairingQuestion::EnterPasskey,
        DevicePairingKinds::ConfirmPinMatch => PairingQuestion::SameNumber(shown()?),
        _ => PairingQuestion::Allow,
    };
    let deferral = arguments.GetDeferral()?;
    let (request, answer) = PairingRequest::new(device.clone(), question, withdrawn.child_token());
    questions.asked(request);
    let arguments = arguments.clone();
    if let PairingQuestion::ShowPasskey(_) = question {
        // Accepting says that it is shown; the device's user does the rest.
        let accepted = arguments.Accept();
        deferral.Complete()?;
        return accepted;
    }
    runtime.spawn(async move {
        let answered = match answer.await {
            Ok(PairingAnswer::Accept) => arguments.Accept(),
            Ok(PairingAnswer::Passkey(passkey)) => {
                arguments.AcceptWithPin(&HSTRING::from(format!("{passkey:06}")))
            }
            // Completing without accepting refuses.
            Ok(PairingAnswer::Refuse) | Err(_) => Ok(()),
        };
        // Windows waits until it is completed, whatever became of the answer.
        if let Err(error) = deferral.Complete().and(answered) {
            tracing::warn!(%error, "Windows did not take the answer of a pairing");
        }
    });
    Ok(())
}

pub(in crate::btleplug) async fn is_paired(device: &DeviceId) -> Result<bool> {
    pairing_of(device)
        .await?
        .IsPaired()
        .map_err(|error| os(&error))
}

pub(in crate::btleplug) async fn unpair(device: &DeviceId) -> Result<()> {
    use DeviceUnpairingResultStatus as S;
    let pairing = pairing_of(device).await?;
    let unpair = async { pairing.UnpairAsync()?.await?.Status() };
    let status = match timeout(ANSWER, unpair).await {
        Ok(status) => status.map_err(|error| os(&error))?,
        Err(_) => {
            return Err(Error::TimedOut {
                operation: "Unpairing",
                after: ANSWER,
            });
        }
    };
    match status {
        S::Unpaired | S::AlreadyUnpaired => Ok(()),
        S::OperationAlreadyInProgress => Err(Error::Busy {
            operation: "Unpairing this device",
        }),
        other => Err(Error::Os {
            message: format!(
                "unpairing ended with DeviceUnpairingResultStatus {}",
                other.0
            ),
        }),
    }
}
