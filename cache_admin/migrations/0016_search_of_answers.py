from django.db import migrations

from cache_admin.search.full_text import drop_index, make_index


class Migration(migrations.Migration):
    dependencies = [("cache_admin", "0015_review")]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: make_index(schema_editor),
            lambda apps, schema_editor: drop_index(schema_editor),
        )
    ]
