"""The air of the lab: a virtual controller for the guest's kernel, and the peripherals that it can hear.

Virtual HR  F0:F1:F2:F3:F4:F5  what a well-behaved sensor does, at STREAM_HZ (50) samples a second
Difficult   F0:F1:F2:F3:F4:D1  what trips explorers: twin UUIDs, long values, ATT errors, a hostile name
(beacon)    F0:F1:F2:F3:F4:1B  an iBeacon that cannot be connected to

These sleep until they are woken over the socket AIR, which also moves and breaks things:

Locked      F0:F1:F2:F3:F4:A1  values that want an encrypted or an authenticated link
Restless    F0:F1:F2:F3:F4:C1  services that come and go, values before the confirmation, a name of 248 bytes
Crowd 0-9   F0:F1:F2:F3:F4:70 to :79

README.md has the attribute tables and the words that AIR understands. Everything is deterministic: the signal strengths come from a seeded generator.
"""

import asyncio
import contextlib
import os
import random
import struct
import sys
import time

from bumble import hci, ll
from bumble.att import ATT_Error, ATT_Handle_Value_Notification
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Descriptor, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.snoop import BtSnooper, Snooper
from bumble.transport import open_transport

STREAM_HZ = float(os.environ.get("STREAM_HZ", "50"))
ADVERTISING_INTERVAL_S = 0.1
SUPERVISION_TIMEOUT_S = 2
P = Characteristic.Properties
READABLE = Characteristic.READABLE
WRITEABLE = Characteristic.WRITEABLE

# ATT error codes (Core 6.0, volume 3, part F, 3.4.1.1); 0x80 to 0x9F belong to the application.
READ_NOT_PERMITTED = 0x02
INSUFFICIENT_AUTHORIZATION = 0x08
INVALID_ATTRIBUTE_LENGTH = 0x0D
VALUE_NOT_ALLOWED = 0x13
APPLICATION_ERROR = 0x80


def say(*words: object) -> None:
    print(f"{time.monotonic():.3f}", *words, flush=True)


class Air(LocalLink):
    """What the controllers share. Bumble's own lets data come from the sender's random address always; a central with a public
    address, as the adapter is, would not be recognised."""

    def __init__(self) -> None:
        super().__init__()
        self.away: set[bytes] = set()

    def out_of_range(self, *addresses: Address) -> bool:
        return any(bytes(address) in self.away for address in addresses)

    def send_advertising_pdu(self, sender, packet) -> None:
        if not self.out_of_range(packet.advertiser_address):
            super().send_advertising_pdu(sender, packet)

    def send_ll_control_pdu(self, sender_address: Address, receiver_address: Address, packet) -> None:
        if not self.out_of_range(sender_address, receiver_address):
            super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def send_acl_data(self, sender, destination, transport, data: bytes) -> None:
        link = sender.le_connections.get(destination)
        receiver = self.find_le_controller(destination)
        if link and receiver and not self.out_of_range(link.self_address, destination):
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, link.self_address, transport, data)


class Adapter(Controller):
    """The controller that the guest's kernel drives. Bumble's own reports every advertisement as connectable, at one
    strength, with its own data as the scan response; this one reports what the advertiser is. It also writes down every
    packet between it and the kernel."""

    # Bumble answers a connection with the event of a controller that has none of these, and the kernel of one that has would
    # wait 20 s for another event, and hold back its next command, which may be to disconnect.
    le_features = Controller.le_features & ~(
        hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    )

    def __init__(self, link, hears: dict, record: Snooper, **transport) -> None:
        super().__init__("adapter", link=link, public_address="02:00:00:00:00:01", **transport)
        self.hears, self.record = hears, record
        self.hanging_up = False

    def on_packet(self, packet: bytes) -> None:
        self.record.snoop(packet, Snooper.Direction.HOST_TO_CONTROLLER)
        super().on_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        self.record.snoop(bytes(packet), Snooper.Direction.CONTROLLER_TO_HOST)
        super().send_hci_packet(packet)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        self.hanging_up = True
        super().on_hci_disconnect_command(command)
        self.hanging_up = False

    def on_le_disconnected(self, connection, reason: int) -> None:
        # The reason of the command is for the peer; whoever gave it hears that it was its own doing.
        own = hci.HCI_CONNECTION_TERMINATED_BY_LOCAL_HOST_ERROR
        super().on_le_disconnected(connection, own if self.hanging_up else reason)

    def on_ll_advertising_pdu(self, packet: ll.AdvertisingPdu) -> None:
        match packet:
            case ll.AdvInd() | ll.AdvExtInd():
                self.report(packet, connectable=True)
                pending = self.pending_le_connection
                if pending and pending.peer_address == packet.advertiser_address:
                    self.create_le_connection(packet.advertiser_address)
            case ll.AdvNonConnInd():
                self.report(packet, connectable=False)
            case _:
                super().on_ll_advertising_pdu(packet)

    def report(self, packet, connectable: bool) -> None:
        heard = self.hears.get(bytes(packet.advertiser_address))
        if not self.le_scan_enable or heard is None:
            return
        kinds = hci.HCI_LE_Advertising_Report_Event.EventType
        address = packet.advertiser_address
        self.send_report(address, kinds.ADV_IND if connectable else kinds.ADV_NONCONN_IND, heard.rssi(), packet.data)
        active = 1
        if connectable and heard.scan_response and self.le_scan_type == active:
            self.send_report(address, kinds.SCAN_RSP, heard.rssi(), heard.scan_response)

    def send_report(self, address: Address, kind: int, rssi: int, data: bytes) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=kind, address_type=address.address_type, address=address, data=data, rssi=rssi
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))


class Heard:
    """How one advertiser sounds at the adapter: strength around `mean` dBm, and its scan response."""

    def __init__(self, mean: int, spread: int, scan_response: bytes = b"") -> None:
        self.mean, self.spread, self.scan_response = mean, spread, scan_response
        self.random, self.drift = random.Random(mean), 0.0

    def rssi(self) -> int:
        # A walk that leans back towards the mean, as a body moving in a room does.
        self.drift = 0.95 * self.drift + self.random.uniform(-1, 1)
        return max(-127, min(20, round(self.mean + self.spread * self.drift / 3)))


class Peripheral:
    """A connectable peripheral: advertises until connected, and again after every disconnection."""

    def __init__(self, air: Air, hears: dict, name: str, address: str, heard: Heard, advertising: bytes) -> None:
        host = Host()
        host.controller = Controller(name, link=air)
        self.device = Device(name, address=Address(address), host=host)
        self.device.advertising_data = advertising
        self.device.on("connection", self.on_connection)
        self.name = address
        self.awake = True
        self.tasks: dict[str, asyncio.Task] = {}
        hears[bytes(Address(address))] = heard

    async def start(self) -> None:
        await self.device.power_on()
        if self.awake:
            await self.advertise()

    async def wake(self) -> None:
        self.awake = True
        if not self.device.connections and not self.device.is_advertising:
            await self.advertise()

    async def sleep(self) -> None:
        self.awake = False
        await self.device.stop_advertising()

    async def advertise(self) -> None:
        interval_ms = ADVERTISING_INTERVAL_S * 1000
        await self.device.start_advertising(
            auto_restart=False, advertising_interval_min=interval_ms, advertising_interval_max=interval_ms
        )
        say(self.name, "advertising")

    def on_connection(self, connection) -> None:
        say(self.name, "connected")
        connection.on("disconnection", self.on_disconnection)

    def on_disconnection(self, reason: int) -> None:
        say(self.name, f"disconnected, reason 0x{reason:02X}")
        for name in list(self.tasks):
            self.stop(name)
        self.spawn("advertise", self.advertise_again())

    async def advertise_again(self) -> None:
        await asyncio.sleep(0.2)  # the controller refuses to advertise while it still tears the link down
        if self.awake:
            await self.advertise()

    def spawn(self, name: str, work) -> None:
        self.stop(name)
        self.tasks[name] = asyncio.create_task(work)

    def stop(self, name: str) -> None:
        if task := self.tasks.pop(name, None):
            task.cancel()

    def while_subscribed(self, characteristic: Characteristic, produce) -> None:
        """Runs `produce(send)` from a subscription to its end. What it sends goes by notification where the central asked
        for that, else by indication, which waits for the confirmation."""

        def on_subscription(bearer, notify: bool, indicate: bool) -> None:
            say(self.name, characteristic.uuid, f"notify={notify} indicate={indicate}")
            name = f"subscription 0x{characteristic.handle:04X}"
            if notify or indicate:
                send = self.device.gatt_server.notify_subscriber if notify else self.device.gatt_server.indicate_subscriber
                self.spawn(name, produce(lambda value: send(bearer, characteristic, value)))
            else:
                self.stop(name)

        characteristic.on(Characteristic.EVENT_SUBSCRIPTION, on_subscription)


async def ticks(hz: float):
    """Counts from 0, `hz` times a second by the clock, so that a slow tick does not delay those after it. A standstill of
    more than a second is not made up for."""
    loop = asyncio.get_running_loop()
    due, count = loop.time(), 0
    while True:
        yield count
        count += 1
        due += 1 / hz
        if loop.time() - due > 1:
            due = loop.time()
        await asyncio.sleep(max(0, due - loop.time()))


def register(initial: bytes, limit: int) -> CharacteristicValue:
    """A value that reads back what was written, up to `limit` bytes."""
    value = bytearray(initial)

    def write(_, new: bytes) -> None:
        if len(new) > limit:
            raise ATT_Error(error_code=INVALID_ATTRIBUTE_LENGTH)
        value[:] = new

    return CharacteristicValue(read=lambda _: bytes(value), write=write)


def refuses(code: int) -> CharacteristicValue:
    def refuse(*_) -> bytes:
        raise ATT_Error(error_code=code)

    return CharacteristicValue(read=refuse, write=refuse)


def described(text: str) -> list[Descriptor]:
    return [Descriptor("2901", READABLE, text.encode())]


def virtual_hr(air: Air, hears: dict) -> Peripheral:
    def vendor(last: str) -> str:
        return f"12345678-1234-5678-1234-56789abcde{last}"

    peripheral = Peripheral(
        air, hears, "Virtual HR", "F0:F1:F2:F3:F4:F5", Heard(-52, 5),
        bytes(AdvertisingData([
            (AdvertisingData.FLAGS, bytes([0x06])),
            (AdvertisingData.COMPLETE_LOCAL_NAME, b"Virtual HR"),
            (AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, bytes(UUID("180D"))),
        ])),
    )
    device = peripheral.device

    def control(connection, value: bytes) -> None:
        if value != b"\x01":
            raise ATT_Error(error_code=VALUE_NOT_ALLOWED)

        async def hang_up() -> None:
            await asyncio.sleep(0.2)
            say(peripheral.name, "hangs up as told")
            await connection.disconnect()

        peripheral.spawn("hang up", hang_up())

    heart_rate = Characteristic("2A37", P.NOTIFY, 0, b"")
    battery = Characteristic("2A19", P.READ | P.NOTIFY, READABLE, bytes([87]))
    stream = Characteristic(vendor("f1"), P.NOTIFY | P.READ, READABLE, bytes(20))
    scratch = Characteristic(
        vendor("f2"), P.READ | P.WRITE | P.WRITE_WITHOUT_RESPONSE, READABLE | WRITEABLE,
        register(b"hello", 512), described("Scratch register"),
    )
    control_point = Characteristic(
        vendor("f3"), P.WRITE, WRITEABLE, CharacteristicValue(write=control), described("Control point")
    )
    device.add_services([
        Service("180D", [heart_rate]),
        Service("180F", [battery]),
        Service(vendor("f0"), [stream, scratch, control_point]),
    ])

    async def beat(send) -> None:
        async for n in ticks(1):
            await send(bytes([0, 60 + n % 40]))

    async def sample(send) -> None:
        async for n in ticks(STREAM_HZ):
            await send(struct.pack("<IQd", n, time.time_ns(), n * 0.1))

    peripheral.while_subscribed(heart_rate, beat)
    peripheral.while_subscribed(stream, sample)
    return peripheral


def vendor(last: int) -> str:
    return f"d1ff1c00-7e57-4000-8000-00000000{last:04x}"


def difficult(air: Air, hears: dict) -> Peripheral:
    # A right-to-left override, a bell, an escape sequence and markup: "Difficult" is all that may reach a screen unharmed.
    advertised = "Difficult\u202egpj<b>\x07\x1b[1m"
    full_name = "Difficult\u202e<img src=x onerror=alert(1)>\u2066\r\n\x1b[31m&amp;'\""
    peripheral = Peripheral(
        air, hears, full_name, "F0:F1:F2:F3:F4:D1",
        Heard(-71, 8, bytes(AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, advertised.encode())]))),
        bytes(AdvertisingData([
            (AdvertisingData.FLAGS, bytes([0x06])),
            (AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(vendor(0x0001)))),
        ])),
    )

    def twin(text: str) -> Characteristic:
        return Characteristic(vendor(0x00D1), P.READ | P.WRITE, READABLE | WRITEABLE, register(text.encode(), 20), described(text))

    both = Characteristic(vendor(0x0033), P.NOTIFY | P.INDICATE, 0, b"", described("Notify and indicate"))
    peripheral.device.add_services([
        Service(vendor(0x0001), [twin("first"), twin("second")]),
        Service(vendor(0x0001), [twin("third")]),
        Service(vendor(0x0002), [
            twin("fourth"),
            Characteristic(
                vendor(0x0512), P.READ | P.WRITE, READABLE | WRITEABLE,
                register(bytes(n & 0xFF for n in range(512)), 512), described("512 bytes"),
            ),
            Characteristic(vendor(0x0080), P.READ | P.WRITE, READABLE | WRITEABLE, refuses(APPLICATION_ERROR), described("Application error")),
            Characteristic(vendor(0x0008), P.READ, READABLE, refuses(INSUFFICIENT_AUTHORIZATION), described("Insufficient authorization")),
            # Claims to be readable, and is not.
            Characteristic(vendor(0x000E), P.READ, READABLE, refuses(READ_NOT_PERMITTED), described('=HYPERLINK("http://203.0.113.1","x")')),
            Characteristic(vendor(0x0000), P.READ, READABLE, b"", described("Empty value")),
            both,
        ]),
    ])

    async def count(send) -> None:
        async for n in ticks(5):
            await send(struct.pack("<I", n))

    peripheral.while_subscribed(both, count)
    return peripheral


class Keypad(PairingDelegate):
    """What the device that pairs has for its user: set by AIR, and so is what the user types on it."""

    KINDS = {
        "nothing": PairingDelegate.NO_OUTPUT_NO_INPUT,
        "display": PairingDelegate.DISPLAY_OUTPUT_ONLY,
        "keys": PairingDelegate.KEYBOARD_INPUT_ONLY,
        "yes-no": PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    }

    def __init__(self, kind: str) -> None:
        super().__init__(io_capability=self.KINDS[kind])
        self.shown: int | None = None
        self.typed: asyncio.Future = asyncio.get_running_loop().create_future()

    async def generate_passkey(self) -> int:
        self.shown = random.Random(time.monotonic()).randrange(1_000_000)
        return self.shown

    async def compare_numbers(self, number: int, digits: int) -> bool:
        self.shown = number
        return True

    async def get_number(self) -> int | None:
        return await self.typed


class Locked(Peripheral):
    """A device that shows some values only to who is paired with it."""

    def __init__(self, air: Air, hears: dict) -> None:
        super().__init__(
            air, hears, "Locked", "F0:F1:F2:F3:F4:A1", Heard(-60, 5),
            bytes(AdvertisingData([
                (AdvertisingData.FLAGS, bytes([0x06])),
                (AdvertisingData.COMPLETE_LOCAL_NAME, b"Locked"),
            ])),
        )
        encrypted, authenticated = Characteristic.READ_REQUIRES_ENCRYPTION, Characteristic.READ_REQUIRES_AUTHENTICATION
        self.device.add_services([
            Service(vendor(0x0003), [
                Characteristic(vendor(0x0300), P.READ, READABLE, b"open", described("Open")),
                Characteristic(vendor(0x0305), P.READ, READABLE | encrypted, b"encrypted", described("Encrypted")),
                Characteristic(vendor(0x0306), P.READ, READABLE | encrypted | authenticated, b"authenticated", described("Authenticated")),
            ]),
        ])
        self.equip("nothing")

    def equip(self, kind: str) -> None:
        self.keypad = Keypad(kind)
        mitm = kind != "nothing"
        self.device.pairing_config_factory = lambda connection: PairingConfig(sc=True, mitm=mitm, bonding=True, delegate=self.keypad)

    async def forget(self) -> None:
        if keystore := self.device.keystore:
            await keystore.delete_all()


class Restless(Peripheral):
    """A device whose services change, and which sends values before it confirms that they are wanted."""

    NAME = "Restless\u202e<b>\x07\x1b[31m"

    def __init__(self, air: Air, hears: dict) -> None:
        name = (self.NAME + "\u202e\u00e9<\r\n" * 40).encode()[:248].decode(errors="ignore")
        name += "." * (248 - len(name.encode()))
        super().__init__(
            air, hears, name, "F0:F1:F2:F3:F4:C1", Heard(-65, 5),
            bytes(AdvertisingData([
                (AdvertisingData.FLAGS, bytes([0x06])),
                (AdvertisingData.SHORTENED_LOCAL_NAME, b"Restless"),
            ])),
        )
        self.eager = Characteristic(vendor(0x0401), P.NOTIFY, 0, b"", described("Before the confirmation"))
        self.steady = Characteristic(vendor(0x0402), P.NOTIFY, 0, b"", described("Steady"))
        self.device.add_services([Service(vendor(0x0004), [self.eager, self.steady])])
        self.kept = len(self.device.gatt_server.attributes)

        def hurry(bearer, notify: bool, indicate: bool) -> None:
            # The confirmation is sent when this returns.
            for n in range(3 if notify else 0):
                value = ATT_Handle_Value_Notification(attribute_handle=self.eager.handle, attribute_value=bytes([n]))
                self.device.gatt_server.send_gatt_pdu(bearer, bytes(value))

        async def count(send) -> None:
            async for n in ticks(5):
                await send(struct.pack("<I", n))

        self.eager.on(Characteristic.EVENT_SUBSCRIPTION, hurry)
        self.while_subscribed(self.steady, count)

    async def change(self, more: bool) -> None:
        """Adds a service at the end, or takes it away, and says so."""
        server = self.device.gatt_server
        del server.attributes[self.kept:]
        server.attributes_by_handle.clear()
        if more:
            value = Characteristic(vendor(0x0501), P.READ, READABLE, b"new", described("New"))
            server.add_service(Service(vendor(0x0005), [value]))
        changed = self.device.gatt_service.service_changed_characteristic
        first = self.kept + 1
        await server.indicate_subscribers(changed, struct.pack("<HH", first, 0xFFFF))


def member(air: Air, hears: dict, n: int) -> Peripheral:
    name = f"Crowd {n}"
    peripheral = Peripheral(
        air, hears, name, f"F0:F1:F2:F3:F4:7{n}", Heard(-60 - n, 3),
        bytes(AdvertisingData([(AdvertisingData.FLAGS, bytes([0x06])), (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode())])),
    )
    counter = Characteristic(vendor(0x0033), P.NOTIFY, 0, b"")
    peripheral.device.add_services([
        Service(vendor(0x0007), [Characteristic(vendor(0x0700), P.READ, READABLE, bytes([n])), counter]),
    ])

    async def count(send) -> None:
        async for tick in ticks(2):
            await send(struct.pack("<I", tick))

    peripheral.while_subscribed(counter, count)
    return peripheral


async def beacon(air: Air, hears: dict) -> None:
    """An iBeacon: it needs no host, only an advertisement now and then."""
    address = Address("F0:F1:F2:F3:F4:1B")
    hears[bytes(address)] = Heard(-83, 10)
    region = UUID("e2c56db5-dffb-48d2-b060-d0f5a71096e0")
    major, minor, dbm_at_1_m = 1, 7, -59
    frame = struct.pack("<H2B", 0x004C, 0x02, 0x15) + bytes(region)[::-1] + struct.pack(">HHb", major, minor, dbm_at_1_m)
    data = bytes(AdvertisingData([
        (AdvertisingData.FLAGS, bytes([0x06])),  # BlueZ hides what is not discoverable
        (AdvertisingData.MANUFACTURER_SPECIFIC_DATA, frame),
    ]))
    while True:
        air.send_advertising_pdu(None, ll.AdvNonConnInd(advertiser_address=address, data=data))
        await asyncio.sleep(0.35)


class World:
    """The air, the adapter that is plugged in, and who is on the air; AIR speaks to it, a line at a time."""

    def __init__(self) -> None:
        self.air, self.hears, self.loop = Air(), {}, asyncio.get_running_loop()
        # Unbuffered: the guest may be switched off at any time.
        self.record = BtSnooper(open(os.environ["LAB_LOG"] + "/hci.btsnoop", "wb", buffering=0))
        self.transport = self.adapter = None
        self.locked, self.restless = Locked(self.air, self.hears), Restless(self.air, self.hears)
        crowd = [member(self.air, self.hears, n) for n in range(10)]
        self.peripherals = {}
        for peripheral in (self.locked, self.restless, *crowd):
            peripheral.awake = False
        for peripheral in (virtual_hr(self.air, self.hears), difficult(self.air, self.hears), self.locked, self.restless, *crowd):
            self.peripherals[peripheral.name] = peripheral

    async def plug(self) -> None:
        self.transport = await open_transport("vhci")
        self.adapter = Adapter(
            self.air, self.hears, self.record, host_source=self.transport.source, host_sink=self.transport.sink
        )

    async def unplug(self) -> None:
        for link in list(self.adapter.le_connections.values()):
            self.lose(link.peer_address)
        self.air.remove_controller(self.adapter)
        await self.transport.close()
        self.adapter = None

    def lose(self, address: Address) -> None:
        """What both ends see when no packet has come for the supervision timeout."""
        timed_out = hci.HCI_CONNECTION_TIMEOUT_ERROR
        controllers = [self.adapter] if self.adapter else []
        controllers += [self.peripherals[str(address).split("/")[0]].device.host.controller]
        for controller in controllers:
            for link in list(controller.le_connections.values()):
                if address in (link.peer_address, link.self_address):
                    controller.on_le_disconnected(link, timed_out)

    async def leave(self, peripheral: Peripheral) -> None:
        address = peripheral.device.random_address
        self.air.away.add(bytes(address))

        async def end() -> None:
            await asyncio.sleep(SUPERVISION_TIMEOUT_S)
            if bytes(address) in self.air.away:
                self.lose(address)

        peripheral.ending = asyncio.create_task(end())

    async def obey(self, word: str, *rest: str) -> str:
        say("told:", word, *rest)
        keypad = self.locked.keypad
        match word, rest:
            case "wake", [address]:
                await self.peripherals[address].wake()
            case "sleep", [address]:
                await self.peripherals[address].sleep()
            case "away", [address]:
                await self.leave(self.peripherals[address])
            case "flee", [address]:
                flees = self.peripherals[address]
                flees.device.once("connection", lambda _: self.loop.call_later(0.05, self.loop.create_task, self.leave(flees)))
            case "back", [address]:
                self.air.away.discard(bytes(self.peripherals[address].device.random_address))
            case "equip", [kind]:
                await self.locked.forget()
                self.locked.equip(kind)
            case "shown", []:
                return "" if keypad.shown is None else f"{keypad.shown:06}"
            case "type", [digits]:
                keypad.typed.set_result(int(digits))
            case "services", [how]:
                await self.restless.change(how == "more")
            case "unplug", []:
                await self.unplug()
            case "plug", []:
                await self.plug()
            case _:
                return f"error: what is {word} {rest}?"
        return "ok"

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            try:
                answer = await self.obey(*line.decode().split())
            except Exception as error:  # the one who asked is told, and the air stays up
                answer = f"error: {error!r}"
            writer.write(f"{answer}\n".encode())
            await writer.drain()
        writer.close()


async def main() -> None:
    world = World()
    await world.plug()
    for peripheral in world.peripherals.values():
        await peripheral.start()
    await asyncio.start_unix_server(world.listen, os.environ["LAB_AIR"])
    say("the air is up,", STREAM_HZ, "Hz")
    await beacon(world.air, world.hears)


with contextlib.suppress(KeyboardInterrupt):
    sys.exit(asyncio.run(main()))
