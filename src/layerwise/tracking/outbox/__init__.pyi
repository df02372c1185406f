from .background import is_remote as is_remote
from .buffered_logger import BufferedRunLogger as BufferedRunLogger
from .failures import (
    StoreFailure as StoreFailure,
    check_database as check_database,
    disk_fix as disk_fix,
    store_failure as store_failure,
)
from .queue import (
    keep_model as keep_model,
    keep_outputs as keep_outputs,
    send_outbox as send_outbox,
)
from .records import (
    WAITING_TAG as WAITING_TAG,
    outbox as outbox,
    records_file as records_file,
    send_records as send_records,
)
from .retries import retrying_client as retrying_client
