"""Allowlists of container formats and codecs: which of FFmpeg's demuxers and decoders may read a recording.

A format is recognised by its content, and by its name only where the content says nothing. Images, playlists and
scripts, which FFmpeg would open as well, and formats that refer to other files are left out.
"""

from io import BytesIO, FileIO
from typing import TypeAlias

Source: TypeAlias = BytesIO | FileIO
"""What a recording is read from: bytes in memory, or an open file."""

ACCEPTED = "WAV, FLAC, Ogg, MP3, M4A, AAC, WebM and most else of sound that FFmpeg reads"

DEMUXERS = frozenset(
    [
        "aac", "ac3", "aea", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "ast", "au", "avi", "avr", "bonk", "caf",
        "dsf", "dss", "dts", "dtshd", "dv", "eac3", "epaf", "flac", "flv", "g722", "gsm", "hcom", "iff", "ircam",
        "loas", "matroska", "mlp", "mmf", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "mxf", "nistsphere", "nut",
        "ogg", "oma", "osq", "pvf", "qcp", "qoa", "rm", "rso", "sds", "shn", "sln", "sox", "tak", "truehd", "tta",
        "voc", "vqf", "w64", "wav", "wavarc", "wsd", "wtv", "wv", "wve", "xwma",
    ]
)  # fmt: skip

CODECS = frozenset(
    [
        "8svx_exp", "8svx_fib", "aac", "aac_latm", "ac3", "adpcm_adx", "adpcm_ct", "adpcm_ima_oki", "adpcm_ima_qt",
        "adpcm_ima_wav", "adpcm_ms", "adpcm_sbpro_2", "adpcm_sbpro_3", "adpcm_sbpro_4", "adpcm_swf", "adpcm_yamaha",
        "alac", "als", "amrnb", "amrwb", "ape", "atrac1", "atrac3", "atrac3al", "atrac3plus", "atrac3plusal", "bonk",
        "cook", "dca", "dsd_lsbf", "dsd_lsbf_planar", "dsd_msbf", "dsd_msbf_planar", "dss_sp", "dst", "dvaudio", "eac3",
        "flac", "g722", "g723_1", "g726", "g726le", "g729", "gsm", "gsm_ms", "hcom", "ilbc", "libopencore_amrnb",
        "libopencore_amrwb", "libopus", "mace3", "mace6", "mlp", "mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3adu",
        "mp3adufloat", "mp3float", "mp3on4", "mp3on4float", "mpc7", "mpc8", "nellymoser", "opus", "osq", "paf_audio",
        "pcm_alaw", "pcm_bluray", "pcm_dvd", "pcm_f16le", "pcm_f24le", "pcm_f32be", "pcm_f32le", "pcm_f64be",
        "pcm_f64le", "pcm_mulaw", "pcm_s16be", "pcm_s16be_planar", "pcm_s16le", "pcm_s16le_planar", "pcm_s24be",
        "pcm_s24le", "pcm_s24le_planar", "pcm_s32be", "pcm_s32le", "pcm_s32le_planar", "pcm_s64be", "pcm_s64le",
        "pcm_s8", "pcm_s8_planar", "pcm_u16be", "pcm_u16le", "pcm_u24be", "pcm_u24le", "pcm_u32be", "pcm_u32le",
        "pcm_u8", "pcm_vidc", "qcelp", "qdm2", "qdmc", "qoa", "ralf", "real_144", "real_288", "s302m", "shorten",
        "sipr", "speex", "tak", "truehd", "truespeech", "tta", "twinvq", "vorbis", "wavarc", "wavpack", "wmalossless",
        "wmapro", "wmav1", "wmav2", "wmavoice",
    ]
)  # fmt: skip

HEADERLESS = {".gsm": "gsm", ".g722": "g722", ".sln": "sln"}
"""Suffix -> demuxer of telephony formats whose files hold nothing but coded samples."""

_MAGIC_NUMBERS = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"caff", b"#!AMR",
    b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75", b"wvpk", b"MAC ", b"TTA1", b"MPCK", b"MP+", b"FLV",
)  # fmt: skip


def begins_like_a_recording(head: bytes) -> bool:
    """Whether the first 16 bytes promise one of the formats (magic numbers)."""
    is_mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return is_mpeg or head.startswith(_MAGIC_NUMBERS) or head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"}
