"""Finds the time zone that a person means by the name of a place."""

import zoneinfo
from collections.abc import Iterable

_ALSO_CALLED = {
    # Cities, countries and abbreviations that no zone is named after; `_` joins words.
    "Africa/Cairo": "egypt القاهرة",
    "Africa/Johannesburg": "cape_town south_africa",
    "Africa/Lagos": "nigeria abuja",
    "Africa/Nairobi": "kenya",
    "America/Argentina/Buenos_Aires": "argentina",
    "America/Bogota": "bogotá colombia",
    "America/Chicago": "houston dallas austin texas new_orleans central cst cdt ct",
    "America/Denver": "salt_lake_city colorado mountain mst mdt mt",
    "America/Los_Angeles": "san_francisco san_diego seattle las_vegas california pacific pst pdt",
    "America/Mexico_City": "mexico ciudad_de_méxico",
    "America/New_York": "nyc boston washington washington_dc miami atlanta eastern est edt et 纽约",
    "America/Sao_Paulo": "são_paulo rio rio_de_janeiro brasilia",
    "America/Toronto": "ottawa montreal",
    "Asia/Bangkok": "thailand phuket chiang_mai hanoi กรุงเทพ กรุงเทพฯ ประเทศไทย 曼谷",
    "Asia/Dubai": "abu_dhabi uae دبي",
    "Asia/Ho_Chi_Minh": "vietnam ho_chi_minh_city",
    "Asia/Hong_Kong": "香港",
    "Asia/Jerusalem": "tel_aviv",
    "Asia/Karachi": "lahore islamabad pakistan",
    "Asia/Kolkata": "india delhi new_delhi mumbai bombay bangalore bengaluru chennai hyderabad",
    "Asia/Manila": "philippines",
    "Asia/Riyadh": "saudi_arabia الرياض",
    "Asia/Seoul": "korea south_korea busan 首尔 서울",
    "Asia/Shanghai": "china beijing peking guangzhou shenzhen 中国 北京 上海 ปักกิ่ง пекин",
    "Asia/Tokyo": "osaka kyoto 日本 东京 東京 โตเกียว токио",
    "Australia/Sydney": "悉尼",
    "Europe/Amsterdam": "netherlands rotterdam",
    "Europe/Athens": "greece athen",
    "Europe/Berlin": "germany deutschland munich münchen hamburg frankfurt köln 柏林 берлин",
    "Europe/Brussels": "belgium brüssel bruxelles",
    "Europe/Istanbul": "turkey ankara",
    "Europe/Kyiv": "ukraine киев київ",
    "Europe/London": "england uk united_kingdom manchester londres londra лондон 伦敦 ลอนดอน",
    "Europe/Madrid": "spain españa barcelona",
    "Europe/Moscow": "russia moskau moscou moscú москва москве 莫斯科",
    "Europe/Paris": "france lyon marseille parís parigi париж париже باريس 巴黎 ปารีส",
    "Europe/Prague": "praha prag czechia",
    "Europe/Rome": "italy italia roma rom milan milano",
    "Europe/Stockholm": "sweden",
    "Europe/Vienna": "austria österreich wien",
    "Europe/Warsaw": "poland warszawa",
    "Europe/Zurich": "switzerland schweiz suisse zürich geneva genève genf bern",
    "Pacific/Auckland": "new_zealand wellington",
    "UTC": "utc gmt zulu",
}


class Places:
    """Every time zone by its name, by its city, and by what else people call it."""

    def __init__(self, zones: Iterable[str]) -> None:
        known = {name: zone for zone in zones for name in (_key(zone), _key(_city(zone)))}
        also = {_key(name): zone for zone, names in _ALSO_CALLED.items() for name in names.split()}
        self._zones = known | also

    @classmethod
    def of_this_machine(cls) -> "Places":
        """Read the time zone database: 600 files, about 100 ms, so never on the event loop."""
        return cls(sorted(zoneinfo.available_timezones()))

    def zone_of(self, place: str) -> str | None:
        """Return the time zone (`Europe/Paris`) of a place; None where the place is not known."""
        whole, first = _key(place), _key(place.partition(",")[0])
        return self._zones.get(whole) or self._zones.get(first)


def _city(zone: str) -> str:
    return zone.rpartition("/")[2]


def _key(name: str) -> str:
    """Return what is the same however the name is written (`new york`, `New_York`)."""
    words = name.casefold().replace("_", " ").replace("the ", "").split()
    return " ".join(word for word in words if word not in ("time", "timezone", "zone", "city"))
