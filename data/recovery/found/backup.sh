#!/bin/sh
# Nightly database backup.
# crontab: 0 2 * * * /opt/app/scripts/backup.sh >> /var/log/backup.log 2>&1
BACKUP_DIR=${BACKUP_DIR:-/backups}
DATE=$(date +%Y%m%d_%H%M%S)

mkdir -p $BACKUP_DIR
pg_dump -h $PGHOST -p $PGPORT -U $PGUSER $PGDATABASE | gzip > $BACKUP_DIR/backup_$DATE.sql.gz

# keep 7 days
find $BACKUP_DIR -name "backup_*.sql.gz" -mtime +7 -delete

echo "Backup completed: backup_$DATE.sql.gz"
