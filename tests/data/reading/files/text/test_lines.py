"""Encodings: marked, UTF-8, set, or found."""

import pytest

from layerwise.data.reading import FileFormat
from layerwise.data.reading.files.text.lines import encoding_of, find_encoding, is_utf8, open_text

GERMAN = "name;ort\nMüller;Köln\nJäger;Füssen\nGroß;Preis in €\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding_whatever_the_format(tmp_path, encoding):
    path = tmp_path / "marked.csv"
    path.write_bytes(GERMAN.encode(encoding))
    for file_format in (FileFormat(), FileFormat(encoding="cp1252", encoding_is_set=True)):
        found = encoding_of(path, file_format)
        assert found == encoding
        with open_text(path, found) as lines:
            assert "".join(lines) == GERMAN


def test_windows_1252_is_found_and_said_with_the_runner_up():
    encoding, sentence = find_encoding(GERMAN.encode("cp1252"))
    assert encoding == "cp1252"
    assert "no UTF-8, and is read as cp1252" in sentence
    assert "problem.reading.encoding sets it" in sentence


def test_windows_1252_goes_before_what_reads_no_better():
    # The sign for square meters is another letter in cp1250, which the bytes alone do not tell.
    rows = "".join(f"{k};Gänsemarkt;{k}.997,91;121,96\n" for k in range(40))
    text = f"Kundennr;Straße;Umsatz (€);Fläche m²\n{rows}"
    assert find_encoding(text.encode("cp1252"))[0] == "cp1252"
    assert (
        find_encoding(("Příjmení;město\nDvořák;Plzeň\nŽižkov;Děčín\n" * 10).encode("cp1250"))[0] == "cp1250"
    )


def test_cyrillic_is_found():
    text = "город;река\nМосква;Москва-река\nЯрославль;Волга\nКазань;Волга\n" * 3
    assert find_encoding(text.encode("cp1251"))[0] == "cp1251"


def test_a_later_file_in_utf8_is_read_as_that_unless_the_encoding_was_set(tmp_path):
    path = tmp_path / "later.csv"
    path.write_text(GERMAN, encoding="utf-8")
    assert encoding_of(path, FileFormat(encoding="cp1252")) == "utf-8"
    assert encoding_of(path, FileFormat(encoding="cp1252", encoding_is_set=True)) == "cp1252"
    path.write_bytes(GERMAN.encode("cp1252"))
    assert encoding_of(path, FileFormat(encoding="cp1252")) == "cp1252"


def test_utf8_is_checked_to_the_end_and_across_parts(monkeypatch):
    monkeypatch.setattr("layerwise.data.reading.files.text.lines.PART_BYTES", 3)
    assert is_utf8("aäöü€".encode())
    assert not is_utf8("aäöü€".encode()[:-1])
    assert not is_utf8("aaaaaaaaaä".encode("cp1252"))


def test_a_text_of_an_old_mac_is_read_as_one():
    raw = GERMAN.replace("\n", "\r").encode("mac_roman")
    encoding, sentence = find_encoding(raw)
    assert raw.decode(encoding) == GERMAN.replace("\n", "\r")
    assert "as those of old Macs do" in sentence
    assert find_encoding(GERMAN.replace("\n", "\r\n").encode("cp1252"))[0] == "cp1252"


@pytest.mark.parametrize("times", [1, 20])
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", '"0","the café"'),
        ("cp1252", "Umsätze Girokonto"),
        ("cp1252", "temp [°C];hum"),
        ("cp1252", "Price (£);£12.50"),
        ("cp1252", "São Paulo;coração;Peñón;¿Sí?;città;così"),
        ("cp1250", "Děčín;Plzeň;Žďár;příjem;žena;muž"),
        ("cp1250", "Győr;főváros;nő;Székesfehérvár;tűz"),
        ("cp1250", "Łódź;Dochód (zł);Płeć;mężczyzna"),
        ("cp1254", "Şehir;İstanbul;kadın;satın aldı;Muğla"),
        ("cp1257", "Šiauliai;Panevėžys;amžius;moteris;Mažeikiai"),
        ("cp1253", "Πόλη;Ηλικία;Αθήνα;ναι;όχι"),
        ("koi8_r", "Город;Возраст;Москва;Казань;да;нет;Доход"),
        ("cp850", "Straße;Größe;Müller;überfällig"),
        ("cp932", "日付,店舗,売上,天気;東京,大阪;はい;いいえ"),
        ("gb18030", "城市,年龄,收入,是否购买;北京;上海"),
    ],
)
def test_a_few_words_of_a_table_tell_its_encoding(encoding, text, times):
    raw = ("\n".join(text.split(";") * times) + "\n").encode(encoding)
    assert raw.decode(find_encoding(raw)[0]) == raw.decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_known_by_its_zeros(tmp_path, encoding):
    path = tmp_path / "unmarked.csv"
    path.write_bytes(GERMAN.encode(encoding))
    assert encoding_of(path, FileFormat()) == encoding
    with open_text(path, encoding) as lines:
        assert "".join(lines) == GERMAN
