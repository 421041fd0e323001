"""The words of the scripts, in the page's language."""

from django.utils.translation import gettext as _


def test_words() -> dict[str, str]:
    """Words of the camera test."""
    return {
        "works": _("Works"),
        "heard": _("We can hear you"),
        "speak": _("Say something out loud"),
        "starting": _("One moment …"),
        "camera": _("Camera"),
        "microphone": _("Microphone"),
        "denied": _(
            "The browser is not allowed to use camera and microphone. Tap the padlock or the camera beside the address,"
            " choose «Allow», and load the page again."
        ),
        "missing": _("We find no camera here. You can join without it, or use another phone or computer."),
        "missing_microphone": _("We find no microphone here. Use another phone or computer, or call us."),
        "busy": _("Another program is using the camera. Close it and try again."),
        "old": _(
            "This browser is too old for video. Open the link on another phone or computer, or join without a camera."
        ),
        "played": _("Did you hear the sound? If not, turn up the volume."),
        "off": _("Off"),
    }


def waiting_words() -> dict[str, str]:
    return {
        "late": _("They are running about {minutes} minutes late. You have not lost your place."),
        "clock": _("It is now {clock}."),
        "offline": _("The connection is away for a moment. We keep trying, and you keep your place."),
        "moved": _("You are let in …"),
        "sound_on": _("Sound on"),
        "sound_off": _("Sound off"),
        "picture_on": _("Picture on"),
        "picture_off": _("Picture off"),
    }


def room_words() -> dict[str, str]:
    return {
        **test_words(),
        "you": _("You"),
        "your_picture": _("Your own picture"),
        "picture_of": _("Picture from {name}"),
        "sound_on": _("Sound on"),
        "sound_off": _("Sound off"),
        "sound_on_long": _("Sound on, turn the microphone off"),
        "sound_off_long": _("Sound off, turn the microphone on"),
        "picture_on": _("Picture on"),
        "picture_off": _("Picture off"),
        "picture_on_long": _("Picture on, turn the camera off"),
        "picture_off_long": _("Picture off, turn the camera on"),
        "share": _("Share screen"),
        "share_stop": _("Stop sharing"),
        "waits_outside": _("Waiting outside"),
        "admit": _("Admit"),
        "decline": _("Decline"),
        "admitting": _("Is coming in …"),
        "put_out": _("Put out"),
        "waiting_for": _("Nobody else is in the call yet."),
        "connecting": _("Connecting …"),
        "lost": _("Lost the connection"),
        "offline": _("The connection is away for a moment. We keep trying. The call may go on meanwhile."),
        "trouble": _("The sound and picture do not get through. If it does not come back, call {phone}."),
        "closed_other_window": _("You have opened the call in another window."),
        "closed_other_device": _("You have opened the call on another device."),
        "closed_gone": _("You no longer have access to this call."),
        "waiting_to_enter": _("The host lets you in. One moment …"),
        "code": _("Security code {code}"),
        "late_told": _("Those who wait are told: about {minutes} minutes late."),
        "late_not": _("Those who wait are told nothing about lateness."),
    }
