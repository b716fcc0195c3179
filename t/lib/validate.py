# SPDX-License-Identifier: BSD-2-Clause
#
# validate.py SCHEMA FILE...: for each YAML file a line of JSON, the list of what is wrong by
# the JSON Schema. A schema that is none ends it.

import json
import sys

import jsonschema
import yaml

with open(sys.argv[1], encoding="utf-8") as stream:
    schema = json.load(stream)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as stream:
        print(json.dumps([error.message for error in validator.iter_errors(yaml.safe_load(stream))]))
