"""The tables of a local iModel, and the steps from older versions of them.

The names are those of the BIS schemas: every element is in a model, and an external source aspect
names the external source and the identifier that it comes from. Tables under RECORDED travel in
changesets; the others belong to this copy of the file alone.
Source: iTwin.js documentation, "BisCore.ecschema", ExternalSource and ExternalSourceAspect.

A changeset of an older version must still apply, so a step only adds: tables, or columns at the
end that may be NULL; and it only lifts restrictions.
"""

VERSION = 4

RECORDED = (
    "ec_Schema",
    "ec_Class",
    "ec_Property",
    "bis_ExternalSource",
    "bis_Model",
    "bis_Element",
    "bis_ExternalSourceAspect",
    "bis_GeometricElement",
    "bis_ElementRefersToElements",
)

# In these, one synchronization of a source writes each row at most once.
WRITTEN_ONCE = (
    "bis_Element",
    "bis_ExternalSourceAspect",
    "bis_GeometricElement",
    "bis_ElementRefersToElements",
)

_VERSION_1 = """
CREATE TABLE ec_Class (
    Id INTEGER PRIMARY KEY,
    Name TEXT NOT NULL UNIQUE
);
CREATE TABLE bis_ExternalSource (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    Identifier TEXT NOT NULL UNIQUE,
    Label TEXT NOT NULL,
    ConnectorName TEXT NOT NULL,
    ConnectorVersion TEXT NOT NULL,
    Digest TEXT NOT NULL
);
CREATE TABLE bis_Model (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    ClassId INTEGER NOT NULL,
    SourceId INTEGER NOT NULL,
    UNIQUE (SourceId, ClassId)
);
CREATE TABLE bis_Element (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    ClassId INTEGER NOT NULL,
    ModelId INTEGER NOT NULL,
    ParentId INTEGER,
    CategoryId INTEGER,
    TypeDefinitionId INTEGER,
    CodeValue TEXT,
    UserLabel TEXT,
    JsonProperties TEXT NOT NULL,
    MinX REAL, MinY REAL, MinZ REAL, MaxX REAL, MaxY REAL, MaxZ REAL
);
CREATE INDEX bis_Element_Model ON bis_Element (ModelId);
CREATE TABLE bis_ExternalSourceAspect (
    SourceId INTEGER NOT NULL,
    Identifier TEXT NOT NULL,
    ElementId INTEGER NOT NULL,
    Checksum TEXT NOT NULL,
    PRIMARY KEY (SourceId, Identifier)
) WITHOUT ROWID;
CREATE TABLE local_Read (
    Source TEXT PRIMARY KEY,
    Digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE local_Changeset (
    Number INTEGER PRIMARY KEY,
    Id TEXT NOT NULL UNIQUE,
    Report TEXT NOT NULL
);
"""

# ec_Class.Name is the source's name, "Schema:Class"; ECName is a valid EC name in the schema.
# local_Job has the report of each job that wrote something, local_Changeset that of each changeset
# and when it was written, in UTC.
_VERSION_2 = """
CREATE TABLE ec_Schema (
    Id INTEGER PRIMARY KEY,
    Name TEXT NOT NULL UNIQUE,
    Alias TEXT NOT NULL,
    VersionRead INTEGER NOT NULL,
    VersionWrite INTEGER NOT NULL,
    VersionMinor INTEGER NOT NULL
);
ALTER TABLE ec_Class ADD COLUMN SchemaId INTEGER;
ALTER TABLE ec_Class ADD COLUMN ECName TEXT;
ALTER TABLE ec_Class ADD COLUMN Kind TEXT;
ALTER TABLE ec_Class ADD COLUMN BaseClass TEXT;
CREATE TABLE ec_Property (
    ClassId INTEGER NOT NULL,
    Name TEXT NOT NULL,
    ECName TEXT NOT NULL,
    Type TEXT NOT NULL,
    IsArray INTEGER NOT NULL,
    StructId INTEGER,
    PRIMARY KEY (ClassId, Name)
) WITHOUT ROWID;
CREATE INDEX bis_ExternalSourceAspect_Element ON bis_ExternalSourceAspect (ElementId);
CREATE TABLE bis_GeometricElement (
    ElementId INTEGER PRIMARY KEY,
    Shape TEXT,
    Placement TEXT,
    Outline BLOB
);
CREATE TABLE bis_ElementRefersToElements (
    ExternalSourceId INTEGER NOT NULL,
    ClassId INTEGER NOT NULL,
    SourceId INTEGER NOT NULL,
    TargetId INTEGER NOT NULL,
    JsonProperties TEXT NOT NULL,
    PRIMARY KEY (ExternalSourceId, ClassId, SourceId, TargetId)
) WITHOUT ROWID;
CREATE TABLE local_Job (
    Number INTEGER PRIMARY KEY,
    Report TEXT NOT NULL
);
INSERT INTO local_Job SELECT Number, json_object(
    'sources', json_extract(Report, '$.sources'),
    'changesets', json_array(json_extract(Report, '$.changeset'))
) FROM local_Changeset ORDER BY Number;
UPDATE local_Changeset SET Report = json_extract(Report, '$.changeset');
ALTER TABLE local_Changeset ADD COLUMN Written TEXT;
"""

# What a reading left for the next one, and a digest of what the iModel then held of the source.
_VERSION_3 = """
CREATE TABLE local_Memory (
    Source TEXT PRIMARY KEY,
    Edition TEXT NOT NULL,
    Held TEXT NOT NULL,
    Memory BLOB NOT NULL
) WITHOUT ROWID;
"""

# A source may have several models of a class: bis_Model.Name is that of a sheet, NULL elsewhere.
_VERSION_4 = """
CREATE TABLE new_Model (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    ClassId INTEGER NOT NULL,
    SourceId INTEGER NOT NULL,
    Name TEXT
);
INSERT INTO new_Model SELECT Id, ClassId, SourceId, NULL FROM bis_Model;
DROP TABLE bis_Model;
ALTER TABLE new_Model RENAME TO bis_Model;
CREATE UNIQUE INDEX bis_Model_Name ON bis_Model (SourceId, ClassId, ifnull(Name, ''));
"""

STEPS = {0: _VERSION_1, 1: _VERSION_2, 2: _VERSION_3, 3: _VERSION_4}
"""The statements that bring tables of a version to the next one."""
