# SPDX-License-Identifier: BSD-2-Clause
#
# validate.py SCHEMA FILE...: for each YAML file a line of JSON, the list of what is wrong by
# the JSON Schema. A schema that is none ends it. It may refer to others beside it.

import json
import pathlib
import sys
import warnings

import jsonschema
import yaml

# The class is old where there is a newer one, which the versions before 4.18 do not have.
warnings.simplefilter("ignore", DeprecationWarning)

path = pathlib.Path(sys.argv[1]).resolve()
schema = json.loads(path.read_text(encoding="utf-8"))
jsonschema.Draft7Validator.check_schema(schema)
resolver = jsonschema.RefResolver(path.as_uri(), schema)
validator = jsonschema.Draft7Validator(schema, resolver=resolver)
for name in sys.argv[2:]:
    with open(name, encoding="utf-8") as stream:
        print(json.dumps([error.message for error in validator.iter_errors(yaml.safe_load(stream))]))
