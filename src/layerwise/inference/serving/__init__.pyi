from .http_server import AddressError as AddressError, create_app as create_app, serve as serve
from .request_body import handle_request as handle_request
