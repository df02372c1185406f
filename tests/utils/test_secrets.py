import logging

import pytest

from layerwise.utils import UserError, mask_secrets, mask_secrets_in_logs


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://bob:hun%24ter2@db.example/mlflow")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("OPTUNA_STORAGE", "mysql://eve:swordfish@db/optuna")
    monkeypatch.setenv("SOME_TOKEN", "abc")


def test_passwords_of_addresses_and_secrets_of_the_environment_are_masked(secrets):
    for text, shown in (
        ("at postgresql://bob:hun%24ter2@db.example/mlflow", "at postgresql://bob:***@db.example/mlflow"),
        ("https://u:p@h/a and http://u:q@h:5000", "https://u:***@h/a and http://u:***@h:5000"),
        ("FATAL: password 'hun$ter2' is wrong", "FATAL: password '***' is wrong"),
        ("swordfish, wJalrXUtnFEMI", "***, ***"),
        ("redis://:only@h/0", "redis://:***@h/0"),
    ):
        assert mask_secrets(text) == shown


def test_what_is_no_secret_stays(secrets):
    for text in (
        "http://host:5000/a@b",
        "sqlite:////home/x/mlflow.db",
        "a@b.c: write to http://h and mail@x.y",
        "a word with abc in it",
    ):
        assert mask_secrets(text) == text


def test_log_records_are_masked_with_their_arguments_and_tracebacks(secrets, caplog):
    before = logging.getLogRecordFactory()
    try:
        mask_secrets_in_logs()
        mask_secrets_in_logs()
        log = logging.getLogger("of.others")
        log.warning("cannot reach %s", "mysql://eve:swordfish@db/optuna")
        try:
            raise ValueError("key wJalrXUtnFEMI")
        except ValueError:
            log.exception("failed")
    finally:
        logging.setLogRecordFactory(before)
    assert "mysql://eve:***@db/optuna" in caplog.text
    assert "ValueError: key ***" in caplog.text
    for secret in ("swordfish", "wJalrXUtnFEMI"):
        assert secret not in caplog.text


def test_a_users_error_says_no_password(secrets):
    assert str(UserError("no server at mysql://eve:swordfish@db")) == "no server at mysql://eve:***@db"
