from ninja import NinjaAPI

api = NinjaAPI(title="Videotime", version="1")
