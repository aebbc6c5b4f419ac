"""Allowlists of container formats and codecs: which of FFmpeg's demuxers and decoders may read a recording.

A format is told by its content, never by its name. Images, playlists and scripts, which FFmpeg would open as well, and
formats that refer to other files are left out.
"""

ACCEPTED = "WAV, FLAC, Ogg, MP3, M4A, AAC, WebM and what else of sound FFmpeg reads"

DEMUXERS = frozenset(
    [
        "aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "au", "avi", "caf", "dsf", "dts", "dtshd", "eac3",
        "flac", "flv", "loas", "matroska", "mov", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "mxf", "nistsphere", "nut",
        "ogg", "oma", "qcp", "rm", "shn", "sox", "tak", "truehd", "tta", "voc", "w64", "wav", "wtv", "wv", "xwma",
    ]
)  # fmt: skip

CODECS = frozenset(
    [
        "aac", "aac_latm", "ac3", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "alac",
        "amrnb", "amrwb", "ape", "atrac3", "atrac3plus", "cook", "dca", "dsd_lsbf", "dsd_lsbf_planar", "dsd_msbf",
        "dsd_msbf_planar", "eac3", "flac", "g722", "g723_1", "g726", "g726le", "g729", "gsm", "gsm_ms", "ilbc",
        "libopencore_amrnb", "libopencore_amrwb", "libopus", "mace3", "mace6", "mlp", "mp1", "mp1float", "mp2",
        "mp2float", "mp3", "mp3float", "mpc7", "mpc8", "nellymoser", "opus", "pcm_alaw", "pcm_bluray", "pcm_dvd",
        "pcm_f16le", "pcm_f24le", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le", "pcm_mulaw", "pcm_s16be",
        "pcm_s16be_planar", "pcm_s16le", "pcm_s16le_planar", "pcm_s24be", "pcm_s24le", "pcm_s24le_planar", "pcm_s32be",
        "pcm_s32le", "pcm_s32le_planar", "pcm_s64be", "pcm_s64le", "pcm_s8", "pcm_s8_planar", "pcm_u16be", "pcm_u16le",
        "pcm_u24be", "pcm_u24le", "pcm_u32be", "pcm_u32le", "pcm_u8", "qcelp", "qdm2", "ralf", "real_144", "real_288",
        "s302m", "shorten", "sipr", "speex", "tak", "truehd", "truespeech", "tta", "vorbis", "wavpack", "wmalossless",
        "wmapro", "wmav1", "wmav2", "wmavoice",
    ]
)  # fmt: skip

_MAGIC_NUMBERS = (
    b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"caff", b"#!AMR",
    b"\x1a\x45\xdf\xa3", b"\x30\x26\xb2\x75", b"wvpk", b"MAC ", b"TTA1", b"MPCK", b"MP+", b"FLV",
)  # fmt: skip


def begins_like_a_recording(head: bytes) -> bool:
    """Whether the first 16 bytes promise one of the formats (magic numbers)."""
    is_mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return is_mpeg or head.startswith(_MAGIC_NUMBERS) or head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide"}
