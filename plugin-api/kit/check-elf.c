/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the dynamic symbol table of an ELF file (System V ABI, chapter 4), every offset checked
 * against the file's end. */
#include "check-elf.h"

#include <elf.h>
#include <link.h>
#include <string.h>

static gboolean
check_elf_is_shared (const char *data, gsize length, ElfW (Ehdr) * header)
{
  const guchar class = sizeof (void *) == 8 ? ELFCLASS64 : ELFCLASS32;

  if (length < sizeof *header || memcmp (data, ELFMAG, SELFMAG) != 0)
    return FALSE;
  memcpy (header, data, sizeof *header);
  return header->e_ident[EI_CLASS] == class && header->e_type == ET_DYN
         && header->e_shentsize == sizeof (ElfW (Shdr)) && header->e_shoff <= length
         && header->e_shnum <= (length - header->e_shoff) / sizeof (ElfW (Shdr));
}

static gboolean
check_elf_get_section (const char *data, gsize length, const ElfW (Ehdr) * header, guint index,
                       ElfW (Shdr) * section)
{
  if (index >= header->e_shnum)
    return FALSE;
  memcpy (section, data + header->e_shoff + index * sizeof *section, sizeof *section);
  return section->sh_offset <= length && section->sh_size <= length - section->sh_offset;
}

/* (nullable): a string of the string table, that ends within it */
static const char *
check_elf_get_name (const char *data, const ElfW (Shdr) * strings, gsize offset)
{
  const char *start = data + strings->sh_offset;

  if (offset >= strings->sh_size || memchr (start + offset, 0, strings->sh_size - offset) == NULL)
    return NULL;
  return start + offset;
}

char **
check_elf_read_exports (const char *data, gsize length)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  ElfW (Ehdr) header = { 0 };
  ElfW (Shdr) table = { 0 };
  ElfW (Shdr) strings = { 0 };
  guint index = 0;

  if (!check_elf_is_shared (data, length, &header))
    return NULL;
  while (index < header.e_shnum && table.sh_type != SHT_DYNSYM)
    if (!check_elf_get_section (data, length, &header, index++, &table)
        && table.sh_type == SHT_DYNSYM)
      return NULL;
  if (table.sh_type != SHT_DYNSYM
      || !check_elf_get_section (data, length, &header, table.sh_link, &strings))
    return NULL;
  for (gsize at = 0; at + sizeof (ElfW (Sym)) <= table.sh_size; at += sizeof (ElfW (Sym)))
    {
      ElfW (Sym) symbol;
      const char *name = NULL;

      memcpy (&symbol, data + table.sh_offset + at, sizeof symbol);
      name = check_elf_get_name (data, &strings, symbol.st_name);
      if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < SHN_LORESERVE && name != NULL
          && ELF64_ST_BIND (symbol.st_info) != STB_LOCAL
          && ELF64_ST_VISIBILITY (symbol.st_other) == STV_DEFAULT)
        g_strv_builder_add (names, name);
    }
  return g_strv_builder_end (names);
}
