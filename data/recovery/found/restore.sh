#!/bin/sh
# Restore the latest backup.
BACKUP_DIR=${BACKUP_DIR:-/backups}
LATEST=$(ls -t $BACKUP_DIR/backup_*.sql.gz | head -1)

createdb -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE
gunzip -c $LATEST | psql -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE > /dev/null

echo "Restore completed: $LATEST"
