from .http_server import (
    AddressError as AddressError,
    ServingApp as ServingApp,
    create_app as create_app,
    serve as serve,
    server_config as server_config,
)
from .responses import handle_request as handle_request, handle_requests as handle_requests
from .settings import ServerSettings as ServerSettings
