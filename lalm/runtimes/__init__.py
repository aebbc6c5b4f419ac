"""Runtimes: which class runs a LALM, by whose weights they are and which inference engine runs them.

weights                                 transformers, in this process   vLLM, started by us     a server at --lalm-url
--------------------------------------  ------------------------------  ----------------------  ----------------------
a run of `lalm.train` (earwitness-tiny) `InProcessTrainedLALM`          `OwnVllmTrainedLALM`    `ServedTrainedLALM`
Qwen2-Audio, Qwen2.5-Omni               `InProcessQwen`                 -                       `ServedLALM`
any other model                         -                               -                       `ServedLALM`

All of them implement `services.protocols.LALM`. `lalm/catalog.py` opens the right one for a name, a folder or a URL.
A run of ours scores options by the likelihood of their texts on every engine; the others score the option letters.
"""
