#!/usr/bin/env python3
"""Turns openapi.yaml into JSON, and the JSON into a C source that the gateway links.

usage: embed.py openapi.yaml openapi.json openapi.c
"""
import json
import sys

import yaml

NAME = "openapi_document"
BYTES_PER_LINE = 24


def c_source(data):
    rows = (data[i:i + BYTES_PER_LINE] for i in range(0, len(data), BYTES_PER_LINE))
    lines = "\n".join("\t" + "".join(f"{byte}," for byte in row) for row in rows)
    return (f'#include "proc/gateway/openapi.h"\n\nstatic const uint8_t content[] = {{\n{lines}\n}};\n'
            f"const struct bytes {NAME} = {{content, sizeof(content)}};\n")


def main():
    source, json_path, c_path = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    with open(json_path, "w", encoding="utf-8") as file:
        file.write(text)
    with open(c_path, "w", encoding="utf-8") as file:
        file.write(c_source(text.encode("utf-8")))


main()
